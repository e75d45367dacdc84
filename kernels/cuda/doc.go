// Package cuda is the device of NVIDIA GPUs: gorgonia.org/cu for contexts, memory, streams, events and modules, the
// folder driver for what cu lacks, and kernels of its own for every op.
//
// Everything is asynchronous: a queue is a stream, Do launches kernels and returns, Write and Read go through pinned
// memory. Only Wait, an Event's Wait, Alloc and Free wait for the device.
//
// It is built with the tag cuda (make build-cuda). src holds the kernels, one .cu file a theme; PTX and intrinsics stand
// in src/include alone. image holds them compiled (make kernels): machine code for compute capability 8.x and 9.x, and
// PTX for later ones. docs/cuda.md says what was checked, and how, without a GPU.
//
// Products go to cuBLASLt where there is one (library.go), launches that repeat to CUDA graphs (replay.go), recordings to one each (capture.go).
//
// Read device.go, queue.go, then arguments.go and the ops_ files.
package cuda

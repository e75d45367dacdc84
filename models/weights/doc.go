// Package weights reads and writes model weights: safetensors (also sharded by an index.json, memory-mapped) and PyTorch
// files (zip archives, the older unzipped form and TorchScript archives), the latter by an unpickler that knows a short
// list of names and never executes anything.
//
//	f, err := weights.Open(ctx, "model.safetensors") // or pytorch_model.bin, *.index.json, a folder that holds one of them
//	defer f.Close()
//	w, err := f.Want("visual.proj", 1024, 768)       // checks the shape, explains what is wrong
//	x, err := w.Float32()
//
// Bytes are little-endian and row-major. What a File hands out may lie in the mapped file: it is valid until Close, and
// writing to it changes neither the file nor crashes, but is seen by whoever asked for the same tensor. Clone what is to
// be trained or kept. Every size in a file is checked before it is used: a lying or hostile file gives an error, costs time
// linear in its length and no memory beyond it.
package weights

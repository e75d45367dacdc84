// Package kernels is where tensors live and arithmetic happens.
//
// It has three layers, and models see only the last:
//
//   - Tensor, Buffer, Device, Queue, Event: memory on a device and work in order on a queue. The contract is
//     asynchronous: Queue.Do returns before the work is done, copies between host and device are explicit, and the host
//     may look at memory only after an Event behind the work has passed. A host device may do everything at once; nothing
//     in a model may rely on that.
//   - Op: one struct an operation, forward and backward, plain data that says what to compute from which tensors into
//     which. A device executes ops; the table in kernels/optest lists them all and drives every test. Adding an op is a
//     struct with a Check here, a function in ref, and a row in the table; then the fast devices follow.
//   - Pass: what models are written against. Its methods take and return tensors, take memory from an Arena, queue ops
//     and, when the pass has a Tape, record how gradients flow back. Without a tape nothing is recorded.
//
// The devices are ref (plain Go, float64 inside: the oracle), cpu (C, SIMD) and cuda, in folders of those names. This
// package imports none of them.
//
// # Shapes
//
// Legend used by every file here: B batch, T tokens (Tq queries, Tk keys), S image slots, P patches, H heads, D features
// of a head, C features of a row, V vocabulary, M N K sides of a matrix product. A suffix names a tensor's shape: x_BTC.
package kernels

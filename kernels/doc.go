// Package kernels is where tensors live and arithmetic happens.
//
// It has three layers, and models see only the last:
//
//   - Tensor, Buffer, Device, Queue, Event: memory on a device and work in order on a queue. The contract is
//     asynchronous: Queue.Do returns before the work is done, copies between host and device are explicit, and the host
//     may look at memory only after an Event behind the work has passed. A host device may do everything at once; nothing
//     in a model may rely on that.
//   - Op: one struct an operation, forward and backward, plain data that says what to compute from which tensors into
//     which. A device executes ops; the table in kernels/optest lists them all and drives every test.
//   - Pass: what models are written against. Its methods take and return tensors, take memory from an Arena, queue ops
//     and, when the pass has a tape, record how gradients flow back. Without a tape nothing is recorded.
//
// Read tensor.go, device.go, op.go, then pass.go and tape.go; the ops_ files hold the ops by theme and the pass_ files the
// methods on them. kernels/device opens a device by name. The devices are ref (plain Go, float64 inside: the oracle),
// cpu (C, SIMD) and cuda, in folders of those names; this package imports none of them.
//
// # A step
//
//	dev, err := device.Open("auto")
//	queue, err := dev.NewQueue()
//	pass := kernels.NewPass(dev, queue, kernels.NewArena(dev, 0), kernels.PassOptions{Grad: true})
//	for each batch {
//		pass.Reset()                                  // the last step's memory is free again
//		x := pass.FromFloat32(values, B, C)           // inputs
//		y := pass.LinearAct(x, w1, b1, kernels.GELU)  // the model
//		loss, _ := pass.CrossEntropy(pass.Linear(y, w2, b2), pass.FromInt32(labels, B))
//		pass.Backward(loss, 1)                        // adds to w1.Grad, ...
//		...                                           // AdamW
//		v, err := pass.Float32(loss)                  // waits; the first error of all of it
//	}
//
// # Adding an op
//
// Write its struct, Name and Check, with a comment that defines it to the last corner, in an ops_ file here; a function and
// a line in kernels/ref; a Row in kernels/optest. Then go test ./kernels/... names every device that lacks it. A Pass
// method follows when models are to use it.
//
// # Shapes
//
// Legend used by every file here: B batch, T tokens (Tq queries, Tk keys), S image slots, P patches, H heads, D features
// of a head, C features of a row, V vocabulary, M N K sides of a matrix product. A suffix names a tensor's shape: x_BTC.
package kernels

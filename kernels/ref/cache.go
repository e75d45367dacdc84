package ref

import "mmc4/kernels"

func put(op *kernels.Put) {
	at, tokens := int(ints(op.At)[0]), op.Src.Dims[1]
	if at >= 0 && at+tokens <= op.Dst.Dims[1] {
		copyOp(&kernels.Copy{Src: op.Src, Dst: op.Dst.Slice(1, at, at+tokens)})
	}
}

func advance(op *kernels.Advance) {
	values := ints(op.X)
	for i := range values {
		values[i] += op.By
	}
	storeInts(op.X, values)
}

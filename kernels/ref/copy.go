package ref

import "mmc4/kernels"

func copyOp(op *kernels.Copy) {
	if op.Src.DType != op.Dst.DType || op.Add {
		storeGrad(kernels.Grad{T: op.Dst, Add: op.Add}, load(op.Src))
		return
	}
	if op.Src.Contiguous() && op.Dst.Contiguous() {
		copy(bytesOf(op.Dst), bytesOf(op.Src))
		return
	}
	// Bytes, so that a NaN keeps its payload and integers need no case of their own.
	size := op.Src.DType.Size()
	src, dst := host(op.Src.Mem), host(op.Dst.Mem)
	data := make([]byte, op.Src.Len()*size)
	each(op.Src, func(i, at int) { copy(data[i*size:(i+1)*size], src[at*size:]) })
	each(op.Dst, func(i, at int) { copy(dst[at*size:(at+1)*size], data[i*size:]) })
}

func fill(op *kernels.Fill) {
	values := make([]float64, op.Dst.Len())
	for i := range values {
		values[i] = float64(op.Value)
	}
	store(op.Dst, values)
}

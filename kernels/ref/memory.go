package ref

import (
	"encoding/binary"
	"math"

	"mmc4/kernels"
)

// Tensors to float64 and back: rows in order, whatever the strides.

func host(b kernels.Buffer) []byte { return b.(kernels.HostBuffer).Host() }

// bytesOf is the memory of a contiguous tensor.
func bytesOf(t kernels.Tensor) []byte {
	size := t.DType.Size()
	return host(t.Mem)[t.Off*size : (t.Off+t.Len())*size]
}

// each calls f with the number of every element in row-major order and where it lies in memory, in elements.
func each(t kernels.Tensor, f func(i, at int)) {
	n := t.Len()
	if t.Contiguous() {
		for i := range n {
			f(i, t.Off+i)
		}
		return
	}
	var index [kernels.MaxRank]int
	at := t.Off
	for i := range n {
		f(i, at)
		for d := t.Rank - 1; d >= 0; d-- {
			index[d]++
			at += t.Strides[d]
			if index[d] < t.Dims[d] {
				break
			}
			at -= index[d] * t.Strides[d]
			index[d] = 0
		}
	}
}

// load is the values of a floating tensor. None gives nil.
func load(t kernels.Tensor) []float64 {
	if t.None() {
		return nil
	}
	mem, out := host(t.Mem), make([]float64, t.Len())
	if t.DType == kernels.BF16 {
		each(t, func(i, at int) { out[i] = float64(kernels.FromBF16(binary.LittleEndian.Uint16(mem[2*at:]))) })
	} else {
		each(t, func(i, at int) {
			out[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(mem[4*at:])))
		})
	}
	return out
}

// store rounds values to a tensor's type.
func store(t kernels.Tensor, values []float64) {
	if t.None() {
		return
	}
	mem := host(t.Mem)
	if t.DType == kernels.BF16 {
		each(t, func(i, at int) { binary.LittleEndian.PutUint16(mem[2*at:], kernels.ToBF16(float32(values[i]))) })
	} else {
		each(t, func(i, at int) {
			binary.LittleEndian.PutUint32(mem[4*at:], math.Float32bits(float32(values[i])))
		})
	}
}

// storeGrad stores a gradient if it is wanted, or adds it.
func storeGrad(g kernels.Grad, values []float64) {
	if !g.Wanted() {
		return
	}
	if g.Add {
		for i, old := range load(g.T) {
			values[i] += old
		}
	}
	store(g.T, values)
}

// ints is the values of a contiguous int32 tensor.
func ints(t kernels.Tensor) []int32 {
	if t.None() {
		return nil
	}
	return kernels.DecodeInts(bytesOf(t))
}

func storeInts(t kernels.Tensor, values []int32) { copy(bytesOf(t), kernels.EncodeInts(values)) }

// bf16 rounds values.
func bf16(values []float64) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = float64(kernels.FromBF16(kernels.ToBF16(float32(v))))
	}
	return out
}

// transposed is a matrix [rows, cols] as [cols, rows].
func transposed(m []float64, rows, cols int) []float64 {
	out := make([]float64, len(m))
	for i := range rows {
		for j := range cols {
			out[j*rows+i] = m[i*cols+j]
		}
	}
	return out
}

package kernels

import (
	"fmt"
	"strings"
)

// DType is the type of a tensor's elements.
type DType uint8

const (
	F32  DType = iota + 1 // IEEE binary32
	BF16                  // upper half of a binary32, rounded to nearest even
	I8                    // signed bytes, for frozen weights: value = element * scale of its row
	I32                   // ids, labels, times, positions
	U8                    // pixels and masks
)

// Size is the size of an element in bytes.
func (d DType) Size() int {
	switch d {
	case F32, I32:
		return 4
	case BF16:
		return 2
	case I8, U8:
		return 1
	}
	return 0
}

func (d DType) String() string {
	switch d {
	case F32:
		return "fp32"
	case BF16:
		return "bf16"
	case I8:
		return "int8"
	case I32:
		return "int32"
	case U8:
		return "uint8"
	}
	return fmt.Sprintf("DType(%d)", uint8(d))
}

// MaxRank is the largest number of dimensions.
const MaxRank = 5

// Tensor is a view of a Buffer: a value, cheap to copy, that owns nothing. Dimensions are row-major; the last one is
// always contiguous, the others may have gaps (views of a packed q, k, v or of a cache). The zero Tensor means "none".
type Tensor struct {
	DType   DType
	Rank    int
	Dims    [MaxRank]int // Dims[:Rank]
	Strides [MaxRank]int // in elements; 0 repeats (only as a source of Copy)
	Mem     Buffer
	Off     int // of the first element, in elements

	// Scales holds the factor of each row of an I8 matrix [N,K]: fp32 [N]. Packed says that Mem holds the
	// device's own arrangement of a frozen weight (Device.Pack): only a MatMul may read it.
	Scales Buffer
	Packed bool

	// node is the tensor's place on the tape, 0 if no gradient flows to it.
	node int
}

// View describes contiguous memory of a buffer, from element off on.
func View(mem Buffer, off int, dtype DType, dims ...int) Tensor {
	t := Tensor{DType: dtype, Mem: mem, Off: off, Rank: len(dims)}
	copy(t.Dims[:], dims)
	t.Strides = contiguous(dims)
	return t
}

func contiguous(dims []int) (strides [MaxRank]int) {
	n := 1
	for i := len(dims) - 1; i >= 0; i-- {
		strides[i] = n
		n *= dims[i]
	}
	return strides
}

// None reports whether t is the zero Tensor.
func (t Tensor) None() bool { return t.Mem == nil }

// Shape is the list of dimensions.
func (t Tensor) Shape() []int { return t.Dims[:t.Rank] }

// Dim is dimension i, from the end when i is negative.
func (t Tensor) Dim(i int) int {
	if i < 0 {
		i += t.Rank
	}
	return t.Dims[i]
}

// Len is the number of elements.
func (t Tensor) Len() int {
	n := 1
	for _, d := range t.Shape() {
		n *= d
	}
	return n
}

// Rows is the product of all dimensions but the last: how many rows of Dim(-1) elements there are.
func (t Tensor) Rows() int {
	n := 1
	for i := 0; i < t.Rank-1; i++ {
		n *= t.Dims[i]
	}
	return n
}

// Contiguous reports whether the elements lie without gaps.
func (t Tensor) Contiguous() bool {
	n := 1
	for i := t.Rank - 1; i >= 0; i-- {
		if t.Dims[i] != 1 && t.Strides[i] != n {
			return false
		}
		n *= t.Dims[i]
	}
	return true
}

// RowStride is the distance between rows of a tensor seen as a matrix [Rows, Dim(-1)], and whether it has one.
func (t Tensor) RowStride() (stride int, ok bool) {
	if t.Rank < 2 {
		return t.Len(), true
	}
	stride = t.Strides[t.Rank-2]
	n := stride
	for i := t.Rank - 2; i >= 0; i-- {
		if t.Dims[i] != 1 && t.Strides[i] != n {
			return 0, false
		}
		n *= t.Dims[i]
	}
	return stride, true
}

// Reshape is the same contiguous elements under other dimensions. It panics if they do not fit: a programmer's mistake.
func (t Tensor) Reshape(dims ...int) Tensor {
	n := 1
	for _, d := range dims {
		n *= d
	}
	if n != t.Len() || !t.Contiguous() {
		panic(fmt.Sprintf("kernels: cannot reshape %v to %v", t, dims))
	}
	t.Rank = len(dims)
	t.Dims = [MaxRank]int{}
	copy(t.Dims[:], dims)
	t.Strides = contiguous(dims)
	return t
}

// Slice keeps the elements [from, to) of a dimension.
func (t Tensor) Slice(dim, from, to int) Tensor {
	if dim < 0 {
		dim += t.Rank
	}
	if from < 0 || to < from || to > t.Dims[dim] {
		panic(fmt.Sprintf("kernels: slice [%d:%d] of dimension %d of %v", from, to, dim, t))
	}
	t.Off += from * t.Strides[dim]
	t.Dims[dim] = to - from
	return t
}

// Split writes a dimension as two: [.., n, ..] becomes [.., n/inner, inner, ..].
func (t Tensor) Split(dim, inner int) Tensor {
	if dim < 0 {
		dim += t.Rank
	}
	if t.Rank == MaxRank || t.Dims[dim]%inner != 0 {
		panic(fmt.Sprintf("kernels: split dimension %d of %v by %d", dim, t, inner))
	}
	copy(t.Dims[dim+1:], t.Dims[dim:MaxRank-1])
	copy(t.Strides[dim+1:], t.Strides[dim:MaxRank-1])
	t.Dims[dim] /= inner
	t.Dims[dim+1] = inner
	t.Strides[dim] *= inner
	t.Rank++
	return t
}

// Permute reorders the dimensions: dimension i of the result is dimension order[i] of t. Only Copy reads a
// tensor whose last dimension is not contiguous.
func (t Tensor) Permute(order ...int) Tensor {
	p := t
	for i, o := range order {
		p.Dims[i], p.Strides[i] = t.Dims[o], t.Strides[o]
	}
	return p
}

// Repeat is the tensor repeated n times along a new leading dimension, without copying; a source for Copy only.
func (t Tensor) Repeat(n int) Tensor {
	if t.Rank == MaxRank {
		panic(fmt.Sprintf("kernels: repeat of %v: rank is at its maximum", t))
	}
	r := t
	copy(r.Dims[1:], t.Dims[:MaxRank-1])
	copy(r.Strides[1:], t.Strides[:MaxRank-1])
	r.Dims[0], r.Strides[0] = n, 0
	r.Rank++
	return r
}

func (t Tensor) String() string {
	if t.None() {
		return "none"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%v%v", t.DType, t.Shape())
	if !t.Contiguous() {
		fmt.Fprintf(&b, " strides %v", t.Strides[:t.Rank])
	}
	return b.String()
}

package optest

import (
	"math"
	"math/rand/v2"

	"mmc4/kernels"
	"mmc4/kernels/ref"
)

// Mode says which types an instance may have; see the package comment.
type Mode uint8

const (
	FP32 Mode = iota
	BF16
	Mixed
)

func (m Mode) String() string { return [...]string{"fp32", "bf16", "mixed"}[m] }

// Gen makes the tensors of one instance, in the memory of a ref device. Inputs are filled, outputs hold NaN.
type Gen struct {
	*rand.Rand
	Mode  Mode
	Small bool // tiny sizes and tame values, for finite differences
	dev   *ref.Device
	queue kernels.Queue
	poked bool // at most one odd value an instance

	backward bool // the instance is for a backward op
}

// NewGen makes a generator; equal arguments make equal instances.
func NewGen(mode Mode, seed uint64) *Gen {
	g := &Gen{Rand: rand.New(rand.NewPCG(seed, uint64(mode)+1)), Mode: mode, dev: ref.New()}
	g.queue, _ = g.dev.NewQueue()
	return g
}

// Chance is true in so many of a hundred cases.
func (g *Gen) Chance(percent int) bool { return g.IntN(100) < percent }

var edges = []int{1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 48, 63, 64, 65, 96, 127, 128, 129, 255, 256, 257, 513, 1025}

// Size is a size up to limit, mostly near multiples of what vectors and tiles are made of.
func (g *Gen) Size(limit int) int {
	if g.Small {
		limit = min(limit, 5)
	}
	n := 0
	for n < len(edges) && edges[n] <= limit {
		n++
	}
	if n == 0 || g.Chance(20) {
		return 1 + g.IntN(limit)
	}
	return edges[g.IntN(n)]
}

// Width is a Size for rows that are normalised: too few elements make curves too sharp for finite differences.
func (g *Gen) Width(limit int) int {
	if g.Small {
		return 3 + g.IntN(4)
	}
	return g.Size(limit)
}

func (g *Gen) floating(fp32, bf16 int) kernels.DType {
	if g.IntN(fp32+bf16) < fp32 {
		return kernels.F32
	}
	return kernels.BF16
}

// ActType is the type of an activation, WeightType that of a weight, StatType that of statistics and gradients of weights.
func (g *Gen) ActType() kernels.DType {
	switch g.Mode {
	case FP32:
		return kernels.F32
	case BF16:
		return kernels.BF16
	}
	return g.floating(1, 1)
}

func (g *Gen) WeightType() kernels.DType {
	if g.Mode == FP32 {
		return kernels.F32
	}
	return g.floating(1, 1)
}

// raw is a view in memory of its own, at an odd place now and then.
func (g *Gen) raw(dtype kernels.DType, dims ...int) kernels.Tensor {
	n := 1
	for _, d := range dims {
		n *= d
	}
	skip := 0
	if g.Chance(25) {
		skip = g.IntN(9)
	}
	buf, err := g.dev.Alloc((n + skip + 8) * dtype.Size())
	if err != nil {
		panic(err) // a ref device without a limit
	}
	return kernels.View(buf, skip, dtype, dims...)
}

// fill writes standard normal values everywhere in the tensor's buffer, gaps too.
func (g *Gen) fill(t kernels.Tensor) kernels.Tensor {
	n := t.Mem.Bytes() / t.DType.Size()
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(g.NormFloat64())
	}
	g.queue.Write(kernels.View(t.Mem, 0, t.DType, n), kernels.EncodeFloats(t.DType, values))
	return t
}

// set overwrites a contiguous tensor.
func (g *Gen) set(t kernels.Tensor, values []float32) kernels.Tensor {
	g.queue.Write(t, kernels.EncodeFloats(t.DType, values))
	return t
}

// get reads a contiguous floating tensor.
func (g *Gen) get(t kernels.Tensor) []float32 {
	data := make([]byte, t.Len()*t.DType.Size())
	g.queue.Read(data, t)
	return kernels.DecodeFloats(t.DType, data)
}

// Act is an activation as input, Weight a weight, Stat fp32. Out, WOut and their like are outputs.
func (g *Gen) Act(dims ...int) kernels.Tensor    { return g.fill(g.raw(g.ActType(), dims...)) }
func (g *Gen) Weight(dims ...int) kernels.Tensor { return g.fill(g.raw(g.WeightType(), dims...)) }
func (g *Gen) Stat(dims ...int) kernels.Tensor   { return g.fill(g.raw(kernels.F32, dims...)) }
func (g *Gen) Out(dims ...int) kernels.Tensor    { return g.raw(g.ActType(), dims...) }
func (g *Gen) StatOut(dims ...int) kernels.Tensor {
	return g.raw(kernels.F32, dims...)
}

// Rows is a matrix of a type, sometimes with gaps between rows.
func (g *Gen) Rows(dtype kernels.DType, rows, cols int) kernels.Tensor {
	return g.fill(g.rows(dtype, rows, cols))
}

// OutRows is Rows as an output.
func (g *Gen) OutRows(dtype kernels.DType, rows, cols int) kernels.Tensor {
	return g.rows(dtype, rows, cols)
}

func (g *Gen) rows(dtype kernels.DType, rows, cols int) kernels.Tensor {
	if !g.Chance(40) {
		return g.raw(dtype, rows, cols)
	}
	left, right := g.IntN(9), g.IntN(9)
	return g.raw(dtype, rows, left+cols+right).Slice(1, left, left+cols)
}

// Ints is int32 in [low, high).
func (g *Gen) Ints(low, high int, dims ...int) kernels.Tensor {
	t := g.raw(kernels.I32, dims...)
	values := make([]int32, t.Len())
	for i := range values {
		values[i] = int32(low + g.IntN(high-low))
	}
	g.queue.Write(t, kernels.EncodeInts(values))
	return t
}

// Bytes is uint8 in [0, high).
func (g *Gen) Bytes(high int, dims ...int) kernels.Tensor {
	t := g.raw(kernels.U8, dims...)
	data := make([]byte, t.Len())
	for i := range data {
		data[i] = byte(g.IntN(high))
	}
	g.queue.Write(t, data)
	return t
}

// Int8 is a matrix [n,k] rounded to int8, with scales.
func (g *Gen) Int8(n, k int) kernels.Tensor {
	values := make([]float32, n*k)
	for i := range values {
		values[i] = float32(g.NormFloat64())
	}
	bytes, scales := kernels.Quantize(values, n)
	t := g.raw(kernels.I8, n, k)
	g.queue.Write(t, bytes)
	t.Scales = g.set(kernels.View(g.raw(kernels.F32, n).Mem, 0, kernels.F32, n), scales).Mem
	return t
}

// Odd is what Poke may put somewhere.
type Odd uint8

const (
	NaN Odd = iota
	PlusInf
	MinusInf
	Huge // all values times 1e4
	Tiny // all values times 1e-30
)

// Poke makes one element of a contiguous input, or all of them, odd in some instances.
func (g *Gen) Poke(t kernels.Tensor, kinds ...Odd) kernels.Tensor {
	if g.Small || g.poked || t.Len() == 0 || !g.Chance(25) {
		return t
	}
	g.poked = true
	values := g.get(t)
	at := g.IntN(len(values))
	switch kinds[g.IntN(len(kinds))] {
	case NaN:
		values[at] = float32(math.NaN())
	case PlusInf:
		values[at] = float32(math.Inf(1))
	case MinusInf:
		values[at] = float32(math.Inf(-1))
	case Huge:
		for i := range values {
			values[i] *= 1e4
		}
	case Tiny:
		for i := range values {
			values[i] *= 1e-30
		}
	}
	return g.set(t, values)
}

// grad is where a gradient of the input of goes: sometimes unwanted, sometimes added to what is there.
func (g *Gen) grad(of kernels.Tensor, dtype kernels.DType) kernels.Grad {
	if of.None() {
		return kernels.Grad{}
	}
	like := of
	like.DType, like.Scales = dtype, nil
	n := of.Mem.Bytes() / of.DType.Size() // the same gaps as the input
	buf, err := g.dev.Alloc(n * dtype.Size())
	if err != nil {
		panic(err)
	}
	like.Mem = buf
	if add := !g.Small && g.Chance(50); add {
		return kernels.Grad{T: g.fill(like), Add: true}
	}
	return kernels.Grad{T: like}
}

// run does an op on ref, in place: what a backward op needs from its forward op.
func (g *Gen) run(op kernels.Op) error {
	g.queue.Do(op)
	return g.queue.Wait()
}

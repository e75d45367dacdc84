package kernels

import "fmt"

// Op is one operation as data. The pointer types of this package's op structs implement it, and no others: devices
// switch over them.
//
// Unless an op says otherwise: floating tensors are F32 or BF16; sums are kept in fp32 (ref: float64); outputs are written
// whole; outputs may not overlap inputs; every dimension is at least 1; NaN and Inf propagate as IEEE arithmetic has it.
//
// Which types may meet in one op: all floating tensors F32; or activations and their gradients BF16, with weights F32 or
// BF16, statistics, losses, gates and gradients of weights F32. Those a device must support, and any mix of the two types in
// MatMul, Copy and SumRows. Other mixes are for Device.Supports to say.
//
// The same op on the same values gives the same bits, whatever the number of threads.
type Op interface {
	// Name is the op's name in tables, logs and traces.
	Name() string
	// Check reports whether the tensors fit together; nil or a *ShapeError.
	Check() error
}

// Grad is where a gradient goes: the zero Grad means that it is not wanted.
type Grad struct {
	T   Tensor
	Add bool // add to what is there instead of overwriting it
}

// Wanted reports whether the gradient is to be computed.
func (g Grad) Wanted() bool { return !g.T.None() }

// Activation is a function of one element. At -Inf, where a formula reads Inf * 0, either NaN or the limit may come out.
type Activation uint8

const (
	NoActivation Activation = iota
	GELU                    // x * Phi(x), exact by erf
	GELUTanh                // GPT-2's gelu_new: 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
	QuickGELU               // OpenAI CLIP: x * sigmoid(1.702 x)
	ReLU
	SquaredReLU // max(x, 0)^2
	SiLU        // x * sigmoid(x)
	Tanh
	Sigmoid
)

var activationNames = [...]string{"none", "gelu", "gelu_tanh", "quick_gelu", "relu", "squared_relu", "silu", "tanh", "sigmoid"}

func (a Activation) String() string {
	if int(a) < len(activationNames) {
		return activationNames[a]
	}
	return fmt.Sprintf("Activation(%d)", uint8(a))
}

// checker gathers the first thing that does not fit.
type checker struct {
	op  string
	err error
}

// need reads: that holds, or it does not for this reason. The words are put together in the bad case alone, so that an op
// that fits costs no memory.
func (c *checker) need(bool) {}

// not notes why something does not fit, and is false.
func (c *checker) not(format string, args ...any) bool {
	if c.err == nil {
		c.err = &ShapeError{Op: c.op, Why: fmt.Sprintf(format, args...)}
	}
	return false
}

func (c *checker) float(name string, t Tensor) {
	c.need(!t.None() || c.not("%s is missing", name))
	c.need(t.None() || t.DType == F32 || t.DType == BF16 || c.not("%s is %v, not floating", name, t))
	c.need(t.None() || !t.Packed || c.not("%s is packed", name))
	c.need(t.None() || t.Len() > 0 || c.not("%s has no elements: %v", name, t))
}

// dense is a contiguous floating tensor.
func (c *checker) dense(name string, t Tensor) {
	c.float(name, t)
	c.need(t.Contiguous() || c.not("%s is not contiguous: %v", name, t))
}

func (c *checker) denseLen(name string, t Tensor, n int) {
	c.dense(name, t)
	c.need(t.Len() == n || c.not("%s has %d elements, not %d: %v", name, t.Len(), n, t))
}

func (c *checker) ints(name string, t Tensor, n int) {
	c.need(!t.None() || c.not("%s is missing", name))
	c.need(t.None() || t.DType == I32 || c.not("%s is %v, not int32", name, t))
	c.need(t.Contiguous() && t.Len() == n || c.not("%s has %d elements, not %d", name, t.Len(), n))
}

func (c *checker) like(name string, t, of Tensor) {
	c.dense(name, t)
	c.need(t.Len() == of.Len() || c.not("%s %v does not match %v", name, t, of))
}

func (c *checker) grad(name string, g Grad, of Tensor) {
	if g.Wanted() {
		c.like(name, g.T, of)
	}
}

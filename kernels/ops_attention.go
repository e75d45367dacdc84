package kernels

// MediaMask says which image a text token may look at (OpenFlamingo's MaskedCrossAttention).
type MediaMask struct {
	// TextTime is int32 [B,Tq]: how many media markers stand at or before the token.
	TextTime Tensor
	// KeysPerMedia is how many consecutive keys belong to one image: key j has media time j/KeysPerMedia + 1.
	KeysPerMedia int
	// Previous lets a token see all images up to its own (media time <= text time); else only its own (==), and a token
	// with text time 0 then gets zeros.
	Previous bool
}

// Attention is Out = softmax(Scale * Q K^T + bias, masked) V, without ever writing the scores.
//
// Q and Out are [B,Tq,H,D]; K and V [B,Tk,Hkv,D] with H a multiple of Hkv (query head h reads head h / (H/Hkv)). All four
// may be strided views as long as a head's D elements are contiguous. A second segment K2, V2 [B,Tk2,Hkv,D] is
// seen behind the first, unmasked (the perceiver: media, then latents).
//
// Masks combine: a key is seen when all that are set allow it. A query that may see no key attends to all keys of
// the first segment uniformly (so does PyTorch with finfo.min masks; it happens when a text has more markers than images), except
// where MediaMask says zeros, and with HiddenOnce to those keys of the first segment that not both Causal and KeyMask hide. LSE is what Backward needs: per query the log of the sum of exponentials of
// its scores, +Inf for a uniform query, -Inf for one of zeros. What a hidden key's K and V hold must be finite.
type Attention struct {
	Q, K, V, Out Tensor
	K2, V2       Tensor     // [B,Tk2,Hkv,D], or none
	Scale        float32    // of the scores, usually 1/sqrt(D)
	Causal       bool       // query i sees key j when j <= i + Tk - Tq (Tk - Tq are cached keys)
	Slopes       Tensor     // fp32 [H]: ALiBi, adds Slopes[h] * (j - (Tk-1)); or none
	KeyMask      Tensor     // uint8 [B,Tk]: 0 hides the key; or none
	HiddenOnce   bool       // finfo.min masks that are added up instead of replacing scores (LLaMA's): twice is -Inf
	Media        *MediaMask // or nil
	Keys         Tensor     // int32 [1]: Tk where the device counts it, from 1 to K's length, of which KeyMask's rows are; or none
	LSE          Tensor     // fp32 [B,H,Tq]: kept for the gradient, or none
}

func (*Attention) Name() string { return "attention" }

func (op *Attention) Check() error {
	c := checker{op: "attention"}
	c.heads("Q", op.Q)
	c.heads("K", op.K)
	c.heads("V", op.V)
	c.heads("Out", op.Out)
	if c.err == nil {
		checkAttention(&c, op)
		c.need(op.Out.Dims == op.Q.Dims || c.not("Out %v does not match Q %v", op.Out, op.Q))
	}
	return c.err
}

func (c *checker) heads(name string, t Tensor) {
	c.float(name, t)
	c.need(t.Rank == 4 && t.Strides[3] == 1 || c.not("%s must be [B,T,H,D] with contiguous D: %v", name, t))
}

func checkAttention(c *checker, op *Attention) {
	b, tq, h, d := op.Q.Dims[0], op.Q.Dims[1], op.Q.Dims[2], op.Q.Dims[3]
	tk, hkv := op.K.Dims[1], op.K.Dims[2]
	c.need(op.K.Dims == op.V.Dims || c.not("K %v and V %v differ", op.K, op.V))
	c.need(op.K.Dims[0] == b && op.K.Dims[3] == d && hkv > 0 && h%hkv == 0 || c.not("Q %v and K %v do not fit", op.Q, op.K))
	if !op.K2.None() {
		c.heads("K2", op.K2)
		c.heads("V2", op.V2)
		c.need(op.K2.Dims == op.V2.Dims && op.K2.Dims[0] == b && op.K2.Dims[2] == hkv && op.K2.Dims[3] == d || c.not("K2 %v, V2 %v do not fit K %v", op.K2, op.V2, op.K))
	}
	if !op.Slopes.None() {
		c.denseLen("Slopes", op.Slopes, h)
	}
	if !op.KeyMask.None() {
		c.need(op.KeyMask.DType == U8 && op.KeyMask.Contiguous() && op.KeyMask.Len() == b*tk || c.not("KeyMask %v is not uint8 [%d,%d]", op.KeyMask, b, tk))
	}
	if op.Media != nil {
		c.ints("TextTime", op.Media.TextTime, b*tq)
		c.need(op.Media.KeysPerMedia > 0 && tk%op.Media.KeysPerMedia == 0 || c.not("%d keys are no whole number of media of %d", tk, op.Media.KeysPerMedia))
	}
	if !op.Keys.None() {
		c.ints("Keys", op.Keys, 1)
		c.need(op.Media == nil || c.not("Keys and Media exclude each other"))
	}
	if !op.LSE.None() {
		c.denseLen("LSE", op.LSE, b*h*tq)
	}
}

// First is the op on the first keys of the first segment alone, as many as a device has read from Keys; KeyMask stays.
func (op *Attention) First(keys int) *Attention {
	first := *op
	keys = min(max(keys, 1), op.K.Dims[1])
	first.K, first.V, first.Keys = op.K.Slice(1, 0, keys), op.V.Slice(1, 0, keys), Tensor{}
	return &first
}

// AttentionBackward is the gradient of Attention. Uniform queries pass gradient to V alone, queries of zeros none. Where
// something is NaN, more of the gradients than follow from it may be NaN.
type AttentionBackward struct {
	Forward  *Attention // with LSE and Out as computed
	DOut     Tensor     // [B,Tq,H,D]
	DQ       Grad       // [B,Tq,H,D]; gradients may be strided views too
	DK, DV   Grad       // [B,Tk,Hkv,D]
	DK2, DV2 Grad       // [B,Tk2,Hkv,D]
}

func (*AttentionBackward) Name() string { return "attention_backward" }

func (op *AttentionBackward) Check() error {
	c := checker{op: "attention_backward"}
	f := op.Forward
	c.need(f != nil && !f.LSE.None() && !f.Out.None() || c.not("needs the forward op with Out and LSE"))
	if c.err != nil {
		return c.err
	}
	checkAttention(&c, f)
	c.need(f.Keys.None() || c.not("the forward op counts its keys on the device"))
	c.heads("DOut", op.DOut)
	c.need(op.DOut.Dims == f.Q.Dims || c.not("DOut %v does not match Q %v", op.DOut, f.Q))
	for _, g := range []struct {
		name string
		g    Grad
		of   Tensor
	}{{"DQ", op.DQ, f.Q}, {"DK", op.DK, f.K}, {"DV", op.DV, f.V}, {"DK2", op.DK2, f.K2}, {"DV2", op.DV2, f.V2}} {
		if g.g.Wanted() {
			c.heads(g.name, g.g.T)
			c.need(g.g.T.Dims == g.of.Dims || c.not("%s %v does not match %v", g.name, g.g.T, g.of))
		}
	}
	return c.err
}

// Rotary turns the first Dims features of every head by angles position / Base^(2i/Dims), pairing feature i with
// i + Dims/2 (GPT-NeoX's and Hugging Face LLaMA's layout), in place. Inverse turns back: the gradient.
type Rotary struct {
	X         Tensor // [B,T,H,D], may be strided
	Positions Tensor // int32 [B,T]
	Dims      int    // even, <= D
	Base      float32
	Inverse   bool
}

func (*Rotary) Name() string { return "rotary" }

func (op *Rotary) Check() error {
	c := checker{op: "rotary"}
	c.heads("X", op.X)
	if c.err == nil {
		c.ints("Positions", op.Positions, op.X.Dims[0]*op.X.Dims[1])
		c.need(op.Dims > 0 && op.Dims%2 == 0 && op.Dims <= op.X.Dims[3] || c.not("cannot turn %d of %d features", op.Dims, op.X.Dims[3]))
		c.need(op.Base > 0 || c.not("base %v", op.Base))
	}
	return c.err
}

// Put writes tokens behind those that a cache holds: Dst[:, At[0]+t] = Src[:, t]. Nothing is written where they do not fit.
type Put struct {
	Src Tensor // [B,T,H,D], may be strided
	Dst Tensor // [B,C,H,D], may be strided
	At  Tensor // int32 [1]: the tokens that are there
}

func (*Put) Name() string { return "put" }

func (op *Put) Check() error {
	c := checker{op: "put"}
	c.heads("Src", op.Src)
	c.heads("Dst", op.Dst)
	c.ints("At", op.At, 1)
	if c.err == nil {
		s, d := op.Src.Dims, op.Dst.Dims
		c.need(s[0] == d[0] && s[1] <= d[1] && s[2] == d[2] && s[3] == d[3] || c.not("Src %v does not fit Dst %v", op.Src, op.Dst))
	}
	return c.err
}

// Advance adds By to integers: counters and positions of a step that is done again and again.
type Advance struct {
	X  Tensor // int32, any shape
	By int32
}

func (*Advance) Name() string { return "advance" }

func (op *Advance) Check() error {
	c := checker{op: "advance"}
	c.ints("X", op.X, op.X.Len())
	return c.err
}

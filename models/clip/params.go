package clip

// Weights to parameters. The parameters have open_clip's names and layouts; Hugging Face's are mapped to them (flamingo facts
// 1.2: q, k, v are rows of one matrix, projections are stored the other way round).

import (
	"fmt"
	"strings"

	"mmc4/kernels"
	"mmc4/models/weights"
)

// loader makes parameters of the tensors of a file.
type loader struct {
	file   *weights.File
	prefix string // of all names in the file
	strip  string // what the file leaves out of open_clip's names ("visual." where only that tower is stored)
	hf     bool
	dev    kernels.Device
	queue  kernels.Queue
	dtype  kernels.DType // of matrices
	params []*kernels.Param
	shapes map[string][]int
	stored map[*kernels.Param]string // matrices: their names in the file
	err    error
}

func newLoader(dev kernels.Device, queue kernels.Queue, file *weights.File, dtype kernels.DType) *loader {
	return &loader{file: file, dev: dev, queue: queue, dtype: dtype, shapes: map[string][]int{}, stored: map[*kernels.Param]string{}}
}

// prefixOf finds what stands before a name in the file ("", "module.", "w.", "text."). The shortest wins.
func prefixOf(f *weights.File, name string) (prefix string, ok bool) {
	for _, n := range f.Names() {
		rest, found := strings.CutSuffix(n, name)
		if found && (rest == "" || strings.HasSuffix(rest, ".")) && (!ok || len(rest) < len(prefix)) {
			prefix, ok = rest, true
		}
	}
	return prefix, ok
}

// last refuses a file that goes on after the config's last block: half a tower computes without a complaint.
func (l *loader) last(blocks, hfBlocks string, layers int) {
	name := fmt.Sprintf(blocks, layers) + "ln_1.weight"
	if l.hf {
		name = fmt.Sprintf(hfBlocks, layers) + "layer_norm1.weight"
	}
	if name = l.prefix + strings.TrimPrefix(name, l.strip); l.err == nil && l.file.Has(name) {
		l.err = fmt.Errorf("%s: there is a tensor %q, but the config has %d layers: it describes a smaller model than this file", l.file.Path, name, layers)
	}
}

// tensor gives the checked elements of one tensor.
func (l *loader) tensor(name string, shape ...int) weights.Tensor {
	if l.err != nil {
		return weights.Tensor{}
	}
	t, err := l.file.Want(l.prefix+strings.TrimPrefix(name, l.strip), shape...)
	l.err = err
	return t
}

// param keeps a tensor as a parameter of the type; its dims may be another view of its shape.
func (l *loader) param(name string, dtype kernels.DType, t weights.Tensor, dims ...int) *kernels.Param {
	if l.err != nil {
		return &kernels.Param{Name: name}
	}
	var p *kernels.Param
	var err error
	switch {
	case t.DType == weights.F32 && dtype == kernels.F32:
		p, err = kernels.NewParamBytes(l.dev, l.queue, name, dtype, t.Data, dims...)
	case t.DType == weights.BF16 && dtype == kernels.BF16:
		p, err = kernels.NewParamBytes(l.dev, l.queue, name, dtype, t.Data, dims...)
	default:
		var values []float32
		if values, err = t.Float32(); err == nil {
			p, err = kernels.NewParam(l.dev, l.queue, name, dtype, values, dims...)
		}
	}
	if err != nil {
		l.err = err
		return &kernels.Param{Name: name}
	}
	l.params = append(l.params, p)
	l.shapes[name] = t.Shape
	return p
}

// matrix is the weight of a linear layer, stored under a name of the file ("" where it was put together). In another type
// than fp32 it is for inference and is packed at once, so that no second copy of the model is ever in memory.
func (l *loader) matrix(name, stored string, t weights.Tensor, n, k int) *kernels.Param {
	p := l.param(name, l.dtype, t, n, k)
	l.stored[p] = stored
	if l.err == nil && l.dtype != kernels.F32 {
		l.err = l.pack([]*kernels.Param{p})
	}
	return p
}

// table is a parameter that stays fp32: norms, biases, embeddings, projections.
func (l *loader) table(name, hfName string, dims ...int) *kernels.Param {
	file := name
	if l.hf {
		file = hfName
	}
	return l.param(name, kernels.F32, l.tensor(file, dims...), dims...)
}

// linear is a weight [N,K] and its bias.
func (l *loader) linear(name, hfName string, n, k int) linear {
	file := name
	if l.hf {
		file = hfName
	}
	return linear{
		w: l.matrix(name+".weight", file+".weight", l.tensor(file+".weight", n, k), n, k),
		b: l.param(name+".bias", kernels.F32, l.tensor(file+".bias", n), n),
	}
}

// packedQKV is the weight [3d,d] and bias [3d] of q, k and v.
func (l *loader) packedQKV(name, hfName string, d int) linear {
	if !l.hf {
		return linear{
			w: l.matrix(name+"in_proj_weight", name+"in_proj_weight", l.tensor(name+"in_proj_weight", 3*d, d), 3*d, d),
			b: l.param(name+"in_proj_bias", kernels.F32, l.tensor(name+"in_proj_bias", 3*d), 3*d),
		}
	}
	w, b := make([]float32, 0, 3*d*d), make([]float32, 0, 3*d)
	for _, part := range []string{"q_proj", "k_proj", "v_proj"} {
		w = append(w, l.floats(l.tensor(hfName+part+".weight", d, d))...)
		l.file.Release(l.prefix + hfName + part + ".weight")
		b = append(b, l.floats(l.tensor(hfName+part+".bias", d))...)
	}
	return linear{
		w: l.matrix(name+"in_proj_weight", "", weights.FromFloat32(name, w, 3*d, d), 3*d, d),
		b: l.param(name+"in_proj_bias", kernels.F32, weights.FromFloat32(name, b, 3*d), 3*d),
	}
}

func (l *loader) floats(t weights.Tensor) []float32 {
	if l.err != nil {
		return nil
	}
	v, err := t.Float32()
	if err != nil {
		l.err = err
	}
	return v
}

// projection is [d,e], to be multiplied from the right; Hugging Face stores [e,d].
func (l *loader) projection(name, hfName string, d, e int) *kernels.Param {
	if !l.hf {
		return l.table(name, "", d, e)
	}
	stored := l.floats(l.tensor(hfName, e, d))
	turned := make([]float32, len(stored))
	for i, v := range stored {
		turned[i%d*e+i/d] = v
	}
	return l.param(name, kernels.F32, weights.FromFloat32(name, turned, d, e), d, e)
}

// norm is a layer norm's weight and bias [d].
func (l *loader) norm(name, hfName string, d int, eps float32) norm {
	return norm{w: l.table(name+".weight", hfName+".weight", d), b: l.table(name+".bias", hfName+".bias", d), eps: eps}
}

// block is one layer of a tower. name and hfName end in a dot.
func (l *loader) block(name, hfName string, d, heads, mlp int, act kernels.Activation, eps float32) *block {
	return &block{
		heads: heads, act: act,
		ln1:  l.norm(name+"ln_1", hfName+"layer_norm1", d, eps),
		qkv:  l.packedQKV(name+"attn.", hfName+"self_attn.", d),
		out:  l.linear(name+"attn.out_proj", hfName+"self_attn.out_proj", d, d),
		ln2:  l.norm(name+"ln_2", hfName+"layer_norm2", d, eps),
		up:   l.linear(name+"mlp.c_fc", hfName+"mlp.fc1", mlp, d),
		down: l.linear(name+"mlp.c_proj", hfName+"mlp.fc2", d, mlp),
	}
}

// pack arranges matrices for the device and lets the file's own bytes of them go; it waits for what was written before.
func (l *loader) pack(matrices []*kernels.Param) error {
	if err := l.queue.Wait(); err != nil {
		return fmt.Errorf("clip weights: %w", err)
	}
	for _, p := range matrices {
		if !p.Packed.None() {
			continue
		}
		if err := p.Pack(l.dev, false); err != nil {
			return err
		}
		if name := l.stored[p]; name != "" {
			l.file.Release(l.prefix + strings.TrimPrefix(name, l.strip))
		}
	}
	return nil
}

// free gives parameters' memory back to the device.
func free(params []*kernels.Param) {
	freed := map[kernels.Buffer]bool{nil: true}
	for _, p := range params {
		for _, t := range []kernels.Tensor{p.Value, p.Packed, p.Compute, p.Grad} {
			for _, b := range []kernels.Buffer{t.Mem, t.Scales} {
				if !freed[b] {
					freed[b] = true
					b.Free()
				}
			}
		}
		*p = kernels.Param{Name: p.Name}
	}
}

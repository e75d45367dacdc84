package lm

// Low-rank adapters (LoRA, arXiv 2106.09685) beside frozen matrices: y = W x + b + alpha/r B A x. A is drawn as PEFT draws it,
// B is zero, so that a model begins as it was. Names are PEFT's: the module's with lora_A and lora_B.

import (
	"fmt"
	"slices"
	"strings"

	"mmc4/kernels"
	"mmc4/models/lm/params"
	"mmc4/models/weights"
)

// LoRA says which matrices get adapters of which rank.
type LoRA struct {
	Rank    int      // r
	Alpha   float64  // scale times r
	Targets []string // modules by the end of their names (q_proj, fc1, query_key_value)
}

func (l LoRA) scale() float32 { return float32(l.Alpha / float64(l.Rank)) }

// adapter is A [r,in] and B [out,r].
type adapter struct {
	a, b  *kernels.Param
	scale float32
}

// targets finds the modules that adapters go to, in order.
func (m *Model) targets(names []string) ([]*linear, error) {
	var found []*linear
	used := map[string]bool{}
	known := map[string]bool{}
	for _, b := range m.blocks {
		for _, l := range b.linears() {
			last := l.name[strings.LastIndexByte(l.name, '.')+1:]
			known[last] = true
			for _, name := range names {
				if l.name == name || strings.HasSuffix(l.name, "."+name) {
					used[name] = true
					found = append(found, l)
					break
				}
			}
		}
	}
	for _, name := range names {
		if !used[name] {
			all := make([]string, 0, len(known))
			for k := range known {
				all = append(all, k)
			}
			slices.Sort(all)
			return nil, fmt.Errorf("LoRA: no module of the language model is called %q; there are %s", name, strings.Join(all, ", "))
		}
	}
	return found, nil
}

// AddLoRA puts trainable adapters beside the targets and gives their weights; source may hold what they were before (nil: new
// ones). Without a device they are only counted.
func (m *Model) AddLoRA(dev kernels.Device, queue kernels.Queue, o LoRA, bf16 bool, seed uint64, source params.Source) ([]*params.Weight, error) {
	targets, err := m.targets(o.Targets)
	if err != nil {
		return nil, err
	}
	l := &params.Loader{Device: dev, Queue: queue, DType: kernels.F32, Seed: seed, Source: source, Draw: true}
	for _, t := range targets {
		t.lora = &adapter{scale: o.scale()}
		t.lora.a = l.Matrix(t.name+".lora_A.weight", o.Rank, t.in, params.FanIn(t.in))
		t.lora.b = l.Matrix(t.name+".lora_B.weight", t.out, o.Rank, params.Zeros)
	}
	if err := l.Err(); err != nil || dev == nil {
		return l.Weights, err
	}
	return l.Weights, params.Train(dev, queue, bf16, l.Weights...)
}

// PlanLoRA counts adapters: their weights without any memory.
func PlanLoRA(c Config, o LoRA) ([]*params.Weight, error) {
	return build(&params.Loader{DType: kernels.F32}, c).AddLoRA(nil, nil, o, false, 0, nil)
}

// Merged are the target matrices with their adapters added, as files store them. The frozen part is the source's own, not what
// a smaller number type made of it.
func (m *Model) Merged(p *kernels.Pass, source params.Source) ([]weights.Tensor, error) {
	var out []weights.Tensor
	for _, block := range m.blocks {
		for _, l := range block.linears() {
			if l.lora == nil {
				continue
			}
			w := m.Weight(l.name + ".weight")
			values, err := frozen(p, w, source)
			if err != nil {
				return nil, fmt.Errorf("LoRA: merging %s: %w", l.name, err)
			}
			mark := p.Arena().Mark()
			product, err := p.Float32(p.MatMul(l.lora.b.Value, l.lora.a.Value, false, false, l.lora.scale, kernels.F32))
			p.Arena().Release(mark)
			if err != nil {
				return nil, err
			}
			if w.Conv1D {
				product = params.Turn(product, l.out, l.in)
			}
			merged := make([]float32, len(values))
			for i, v := range values {
				merged[i] = v + product[i]
			}
			out = append(out, weights.FromFloat32(w.Name, merged, w.Shape...))
		}
	}
	return out, nil
}

// Stored is a weight as files store it: the source's, or where it was drawn at random or trained, the model's.
func (m *Model) Stored(p *kernels.Pass, w *params.Weight, source params.Source) (weights.Tensor, error) {
	if w.Param.Trainable {
		source = nil
	}
	values, err := frozen(p, w, source)
	return weights.FromFloat32(w.Name, values, w.Shape...), err
}

// frozen is a weight in the layout of files: the source's, or where it was drawn at random the model's.
func frozen(p *kernels.Pass, w *params.Weight, source params.Source) ([]float32, error) {
	if source != nil {
		if file, stored, ok := source.Find(w.Name); ok {
			t, err := file.Want(stored, w.Shape...)
			if err != nil {
				return nil, err
			}
			return t.Float32()
		}
	}
	return w.Values(p)
}

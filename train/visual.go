package train

// Visual tokens kept between epochs and trainings: a picture goes through the frozen tower once, and from then on its tokens
// are read. Losses are those of a training without, to the bit where the same tower computed both.

import (
	"context"
	"errors"
	"fmt"

	"mmc4/kernels"
	"mmc4/models/flamingo"
	"mmc4/models/flamingo/visual"
	"mmc4/train/data"
)

// VisualConfig says where visual tokens lie; an empty path: nowhere, the tower looks at every picture every time.
type VisualConfig struct {
	Path    string `yaml:"path" json:"path"`
	Missing string `yaml:"missing" json:"missing"` // compute (and keep), or refuse
}

func (v VisualConfig) check(c *Config) error {
	if v.Path == "" {
		return nil
	}
	if err := oneOf("visual_tokens.missing", v.Missing, "compute", "refuse"); err != nil {
		return err
	}
	if c.Kind != KindFlamingo {
		return fmt.Errorf("visual_tokens are a Flamingo's; the kind is %s", c.Kind)
	}
	return nil
}

// ruleTokens is the rule of kept tokens that were damaged and computed anew.
const ruleTokens = "visual_tokens"

// Visual gives the tokens of pictures from a store, and those that are not there from the tower.
type Visual struct {
	Model  *flamingo.Model
	Store  *visual.Store
	Kind   visual.Kind
	Refuse bool // no tower is there, or none is to be used
	// Damaged is told of tokens that were damaged and computed anew; it may be nil.
	Damaged func(data.Reject)

	computed int // pictures that the tower looked at, so far
}

// looked is how many pictures the tower looked at so far because they had no tokens.
func (v *Visual) looked() int {
	if v == nil {
		return 0
	}
	return v.computed
}

// openVisual opens the store of a run's tower. Without weights of the tower the place must hold the tokens of one tower alone.
func (s *workplace) openVisual(ctx context.Context, f *Flamingo, dtype kernels.DType, bf16 bool) error {
	c := s.config
	stored := kernels.F32
	if bf16 {
		stored = kernels.BF16
	}
	k := visual.Kind{Tokens: s.shapes.flamingo.Tokens(), Width: s.shapes.flamingo.Vision.Width, DType: stored}
	var err error
	if c.Weights.Vision == "" {
		k.Fingerprint, err = visual.Only(ctx, c.Visual.Path)
		c.tower = k.Fingerprint
	} else {
		k.Fingerprint, err = visual.Fingerprint(ctx, s.files[0], s.shapes.flamingo.Vision, f.Preprocess, s.shapes.flamingo.ClassToken, dtype)
	}
	if err != nil {
		return wrong("visual_tokens: %w", err)
	}
	store, err := visual.Open(ctx, c.Visual.Path, k)
	if err != nil {
		return wrong("visual_tokens: %w", err)
	}
	s.notes = append(s.notes, fmt.Sprintf("visual tokens of %d pictures of the tower %.16s are in %s", store.Len(), k.Fingerprint, store.Location()))
	f.Visual = &Visual{Model: f.Model, Store: store, Kind: k, Refuse: c.Visual.Missing == "refuse"}
	return nil
}

// Tokens are those of a batch's pictures [I,P,E]; pixels makes the tower's input of some of them.
func (v *Visual) Tokens(p *kernels.Pass, b *data.Batch, pixels func(some *data.Batch) kernels.Tensor) kernels.Tensor {
	size := v.Kind.Bytes()
	all := make([]byte, len(b.Pictures)*size)
	none := p.Alloc(v.Kind.DType, len(b.Pictures), v.Kind.Tokens, v.Kind.Width) // in place of what failed
	keys := make([]visual.Key, len(b.Pictures))
	missing := &data.Batch{}
	var places []int
	for i, m := range b.Pictures {
		keys[i] = visual.KeyOf(m)
		tokens, err := v.Store.Get(keys[i])
		switch {
		case err == nil:
			copy(all[i*size:], tokens)
			continue
		case v.Refuse:
			p.Fail(fmt.Errorf("document %s: %w; make them with mmc4 embed --tokens, or set visual_tokens.missing to compute", sampleOf(b, i), err))
			return none
		case !errors.Is(err, visual.ErrMissing) && !errors.Is(err, visual.ErrDamaged):
			p.Fail(err)
			return none
		case errors.Is(err, visual.ErrDamaged) && v.Damaged != nil:
			v.Damaged(data.Reject{ID: sampleOf(b, i), Rule: ruleTokens, Image: keys[i].String(), Detail: err.Error() + "; computed anew"})
		}
		missing.Pictures, places = append(missing.Pictures, m), append(places, i)
	}
	if len(places) > 0 {
		values, err := p.Float32(v.Model.Patches(p, pixels(missing)))
		if err != nil {
			return none
		}
		v.computed += len(places)
		computed := kernels.EncodeFloats(v.Kind.DType, values)
		for k, i := range places {
			tokens := computed[k*size : (k+1)*size : (k+1)*size]
			copy(all[i*size:], tokens)
			if err := v.Store.Put(keys[i], tokens); err != nil {
				p.Fail(err)
			}
		}
	}
	return p.Upload(v.Kind.DType, all, len(b.Pictures), v.Kind.Tokens, v.Kind.Width)
}

// sampleOf is the sample that picture i of a batch belongs to.
func sampleOf(b *data.Batch, i int) string {
	for slot, at := range b.Slot {
		if at == i {
			return b.Samples[slot/b.Slots]
		}
	}
	return ""
}

// keep makes what was computed last.
func (v *Visual) keep(ctx context.Context) error {
	if v == nil {
		return nil
	}
	return v.Store.Flush(ctx)
}

func (v *Visual) close() {
	if v != nil {
		v.Store.Close()
	}
}

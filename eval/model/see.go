package model

import (
	"context"
	"sync"

	"mmc4/internal/imaging"
	"mmc4/kernels"
)

// atOnce is how many pictures go through the tower together.
const atOnce = 8

// See reads and encodes pictures.
func (m *Flamingo) See(ctx context.Context, images []string) (map[string]error, error) {
	missing, err := m.seen.want(images)
	if err != nil {
		return nil, err
	}
	bad := map[string]error{}
	for len(missing) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		now := missing[:min(atOnce, len(missing))]
		missing = missing[len(now):]
		squares, errs := make([]*imaging.RGB, len(now)), make([]error, len(now))
		var wg sync.WaitGroup
		for i, name := range now {
			wg.Go(func() { squares[i], errs[i] = m.square(name) })
		}
		wg.Wait()
		var names []string
		var pixels []byte
		for i, name := range now {
			if errs[i] != nil {
				bad[name] = errs[i]
				continue
			}
			names, pixels = append(names, name), append(pixels, squares[i].Pix...)
		}
		if len(names) == 0 {
			continue
		}
		values, err := m.encode(pixels, len(names))
		if err != nil {
			return nil, err
		}
		each := len(values) / len(names)
		for i, name := range names {
			m.seen.put(name, values[i*each:(i+1)*each:(i+1)*each])
		}
	}
	return bad, nil
}

// square reads a picture and cuts it to what the tower takes: resized in its own mode, made RGB last, as open_clip's
// validation transform does.
func (m *Flamingo) square(name string) (*imaging.RGB, error) {
	data, err := m.image(name)
	if err != nil {
		return nil, err
	}
	return m.preprocess.DecodeFirst(data, imaging.Limits{})
}

// encode gives the latents (or tokens) of n squares.
func (m *Flamingo) encode(pixels []byte, n int) ([]float32, error) {
	p, side := m.pass, m.preprocess.Size
	p.Reset()
	x := p.NormalizePixels(p.FromUint8(pixels, n, side, side, 3), m.preprocess.Mean, m.preprocess.Std)
	if m.model.Perceiver.BySlot() {
		return p.Float32(p.Contiguous(m.model.Patches(p, x)))
	}
	slots := make([]int32, n)
	for i := range slots {
		slots[i] = int32(i)
	}
	return p.Float32(m.model.See(p, x, 1, n, slots).Latents)
}

// tensor uploads values of pictures [pictures, each].
func (m *Flamingo) tensor(names []string, dims ...int) kernels.Tensor {
	var values []float32
	each := 1
	for _, d := range dims {
		each *= d
	}
	for _, name := range names {
		if name == "" {
			values = append(values, make([]float32, each)...)
			continue
		}
		values = append(values, m.seen.values[name]...)
	}
	return m.pass.FromFloat32(values, append([]int{len(names)}, dims...)...)
}

package features

// Visual tokens for training: what the image tower makes of a picture before anything is pooled, as it is and mirrored (the
// trainer mirrors half of its pictures). Writes a store of models/flamingo/visual.

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"time"

	"mmc4/internal/imaging"
	"mmc4/kernels"
	"mmc4/models/flamingo/visual"
)

// Tokens is Embed with tokens instead of features: c.Out is a folder or s3://. Pictures whose tokens are there already cost
// nothing. dtype is the tower's.
func Tokens(ctx context.Context, c Config, dev kernels.Device, dtype kernels.DType, report Report) (Summary, error) {
	if c.Batch <= 0 {
		c.Batch = 8
	}
	if c.Workers <= 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
	vision := c.Model.Config.Vision
	s := Summary{Input: c.Input, Out: c.Out, Dim: vision.Width}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	source, kind, err := open(ctx, c)
	if err != nil {
		return s, err
	}
	s.Kind = kind
	if s.Model, err = visual.Fingerprint(ctx, c.Model.File(), vision, c.Model.Preprocess, false, dtype); err != nil {
		return s, err
	}
	t := &tokens{kind: visual.Kind{Fingerprint: s.Model, Tokens: vision.Patches(), Width: vision.Width, DType: kernels.F32}}
	if dtype == kernels.BF16 {
		t.kind.DType = kernels.BF16
	}
	if t.store, err = visual.Open(ctx, c.Out, t.kind); err != nil {
		return s, err
	}
	defer t.store.Close()
	queue, err := dev.NewQueue()
	if err != nil {
		return s, err
	}
	t.pass = kernels.NewPass(dev, queue, kernels.NewArena(dev, 0), kernels.PassOptions{DType: t.kind.DType})
	defer t.pass.Arena().Free()
	e := &embedder{Config: c, report: report, s: &s, start: time.Now(), tokens: t}
	if err := e.pictures(ctx, source); err != nil {
		return s, err
	}
	if s.Rows == 0 && s.Bad == 0 {
		return s, fmt.Errorf("%s %w: there is nothing in it (a folder's pictures end in %s; a run has manifest.json when it is complete)", c.Input, ErrUsage, strings.Join(endings, ", "))
	}
	s.Seconds = time.Since(e.start).Seconds()
	s.PerSecond, s.Busy = float64(s.Rows)/s.Seconds, e.busy.Seconds()/s.Seconds
	return s, t.store.Flush(ctx)
}

// tokens is where an embedder's pictures go instead of rows.
type tokens struct {
	kind  visual.Kind
	store *visual.Store
	pass  *kernels.Pass
}

// keep computes what the store lacks of the batch, and of its mirror pictures.
func (e *embedder) keep(ctx context.Context) error {
	t, size := e.tokens, e.Model.Preprocess.Size
	for _, squares := range [][]*imaging.RGB{e.squares, mirrored(e.squares)} {
		var keys []visual.Key
		var pixels []byte
		for _, m := range squares {
			key := visual.KeyOf(m)
			if _, err := t.store.Get(key); err != nil {
				keys, pixels = append(keys, key), append(pixels, m.Pix...)
			}
		}
		if len(keys) == 0 {
			continue
		}
		began := time.Now()
		p := t.pass
		p.Reset()
		x := p.NormalizePixels(p.FromUint8(pixels, len(keys), size, size, 3), e.Model.Preprocess.Mean, e.Model.Preprocess.Std)
		values, err := p.Float32(e.Model.Vision.Patches(p, x))
		e.busy += time.Since(began)
		if err != nil {
			return fmt.Errorf("visual tokens: %w", err)
		}
		each := len(values) / len(keys)
		for i, key := range keys {
			if err := t.store.Put(key, kernels.EncodeFloats(t.kind.DType, values[i*each:(i+1)*each])); err != nil {
				return err
			}
		}
	}
	if t.store.Full() {
		if err := t.store.Flush(ctx); err != nil {
			return err
		}
	}
	e.s.Rows += int64(len(e.batch))
	if e.report.Rows != nil {
		e.report.Rows(e.s.Rows, float64(e.s.Rows)/time.Since(e.start).Seconds())
	}
	e.batch, e.squares = e.batch[:0], e.squares[:0]
	return nil
}

// mirrored are pictures with left and right exchanged.
func mirrored(squares []*imaging.RGB) []*imaging.RGB {
	out := make([]*imaging.RGB, len(squares))
	for i, m := range squares {
		out[i] = imaging.NewRGB(m.Width, m.Height)
		for at := 0; at < len(m.Pix); at += 3 {
			row, x := at/3/m.Width, at/3%m.Width
			copy(out[i].Pix[at:at+3], m.Pix[3*(row*m.Width+m.Width-1-x):])
		}
	}
	return out
}

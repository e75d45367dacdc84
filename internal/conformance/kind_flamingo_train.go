package conformance

import (
	"context"
	"fmt"
	"strings"

	"mmc4/kernels"
	"mmc4/models/flamingo"
	"mmc4/models/lm/params"
	"mmc4/models/weights"
	"mmc4/train"
	"mmc4/train/data"
)

func init() { register("flamingo.train", checkFlamingoTrain) }

// trainCase is a case's streams of ready ids and pictures.
type trainCase struct {
	*train.Flamingo
	pixels []float32 // [M,3,H,W], then one image of zeros
	shape  []int
	slots  map[*data.Batch][]int32
}

func (t *trainCase) Loss(p *kernels.Pass, _ int, b *data.Batch) kernels.Tensor {
	each := len(t.pixels) / t.shape[0]
	images := make([]float32, 0, len(t.slots[b])*each)
	slots := make([]int32, len(t.slots[b]))
	for i, image := range t.slots[b] {
		images = append(images, t.pixels[int(image)*each:(int(image)+1)*each]...)
		slots[i] = int32(i)
	}
	return t.LossOf(p, p.FromFloat32(images, len(slots), t.shape[1], t.shape[2], t.shape[3]), slots, b)
}

// checkFlamingoTrain takes open_flamingo's steps on the case's batches.
func checkFlamingoTrain(_ context.Context, env *Env, c *Case, r *Report) error {
	var in struct {
		Config struct {
			Media int32 `json:"media_token_id"`
			EOC   int32 `json:"eoc_token_id"`
			Pad   int32 `json:"pad_token_id"`
			Total int   `json:"total_training_steps"`
			NaN   []int `json:"nan_steps"`
			Train struct {
				LR         float64 `json:"learning_rate"`
				Decay      float64 `json:"weight_decay"`
				Warmup     int     `json:"warmup_steps"`
				Scheduler  string  `json:"lr_scheduler"`
				Accumulate int     `json:"gradient_accumulation_steps"`
				Laion      float64 `json:"loss_multiplier_laion"`
				MMC4       float64 `json:"loss_multiplier_mmc4"`
			} `json:"train"`
		} `json:"config"`
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	f, err := openFlamingo(env, c, r, flamingo.Options{Train: true, Rows: true})
	if err != nil {
		return err
	}
	defer f.close()
	o := in.Config
	t := &trainCase{Flamingo: &train.Flamingo{Model: f.model, Decay: o.Train.Decay}, slots: map[*data.Batch][]int32{}}
	if t.pixels, t.shape, err = floats(f.file, "in.images"); err != nil {
		return err
	}
	each := len(t.pixels) / t.shape[0]
	t.pixels = append(append([]float32(nil), t.pixels...), make([]float32, each)...)
	t.shape = append([]int{t.shape[0] + 1}, t.shape[1:]...)
	queue := f.pass.Queue()
	opt, err := train.NewOptimizer(f.dev, queue, train.AdamW{LR: o.Train.LR, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Clip: 1}, t.Groups())
	if err != nil {
		return err
	}
	u := &train.Upstream{Task: t, Optimizer: opt, Pass: f.pass, Accumulate: o.Train.Accumulate,
		Schedule: train.Schedule{Kind: o.Train.Scheduler, Warmup: o.Train.Warmup, Total: o.Total}}
	laion, err := t.batches(f.file, "laion", "in.laion_image", func(ids []int32) []int32 { return data.PairLabels(ids, o.Media, o.Pad) })
	if err != nil {
		return err
	}
	mmc4, err := t.batches(f.file, "mmc4", "in.mmc4_images", func(ids []int32) []int32 { return data.InterleavedLabels(ids, o.Media, o.EOC, o.Pad) })
	if err != nil {
		return err
	}
	for name, batches := range map[string][]*data.Batch{"out.labels_laion": laion, "out.labels_mmc4": mmc4} {
		var got []int64
		for _, b := range batches {
			for _, label := range b.Labels {
				got = append(got, int64(label))
			}
		}
		want, err := f.file.Int64(name)
		if err != nil {
			return err
		}
		r.Equal(name, got, want)
	}
	if !f.train { // int8 weights are frozen: nothing is trained in them
		return nil
	}
	got := map[string][]float32{}
	var rates []float64
	var nan []int
	for i := range laion {
		result, err := u.Micro([]train.Part{{Stream: 0, Weight: o.Train.Laion, Batch: laion[i]}, {Stream: 1, Weight: o.Train.MMC4, Batch: mmc4[i]}},
			(i+1)%o.Train.Accumulate == 0 || i == len(laion)-1)
		if err != nil {
			return fmt.Errorf("micro-step %d: %w", i, err)
		}
		got["out.loss_laion"] = append(got["out.loss_laion"], float32(result.Losses[0]))
		got["out.loss_mmc4"] = append(got["out.loss_mmc4"], float32(result.Losses[1]))
		got["out.grad_norm"] = append(got["out.grad_norm"], float32(result.Norm))
		if result.Skipped {
			nan = append(nan, i)
		}
		if result.Updated {
			rates = append(rates, result.LR)
		}
	}
	r.Equal("nan_steps", append([]int{}, nan...), append([]int{}, o.NaN...))
	want, err := f.file.Tensor("out.lr")
	if err != nil {
		return err
	}
	wide, err := want.Float64()
	if err != nil {
		return err
	}
	got["out.lr"] = narrow(rates)
	r.Tensor(env, c, "out.lr", got["out.lr"], narrow(wide))
	for _, name := range []string{"out.loss_laion", "out.loss_mmc4", "out.grad_norm"} {
		want, err := f.file.Float32(name)
		if err != nil {
			return err
		}
		f.dump.Float32(name, got[name], len(got[name]))
		r.Tensor(env, c, name, got[name], want)
	}
	return compareFinals(env, c, r, f.dump, f.pass, f.file, f.model.Saved())
}

func narrow(wide []float64) []float32 {
	out := make([]float32, len(wide))
	for i, v := range wide {
		out[i] = float32(v)
	}
	return out
}

// batches are the micro-steps of a stream.
func (t *trainCase) batches(file *weights.File, stream, images string, labels func([]int32) []int32) ([]*data.Batch, error) {
	shape, err := file.Want("in."+stream+"_ids", -1, -1, -1)
	if err != nil {
		return nil, err
	}
	ids, err := ids32(file, "in."+stream+"_ids")
	if err != nil {
		return nil, err
	}
	mask, err := file.Int64("in." + stream + "_mask")
	if err != nil {
		return nil, err
	}
	slots, err := ids32(file, images)
	if err != nil {
		return nil, err
	}
	steps, rows, length := shape.Shape[0], shape.Shape[1], shape.Shape[2]
	var out []*data.Batch
	for s := range steps {
		b := &data.Batch{Rows: rows, Len: length, IDs: ids[s*rows*length : (s+1)*rows*length]}
		for _, shown := range mask[s*rows*length : (s+1)*rows*length] {
			b.Mask = append(b.Mask, byte(shown))
		}
		for row := range rows {
			b.Labels = append(b.Labels, labels(b.IDs[row*length:(row+1)*length])...)
		}
		each := len(slots) / steps
		t.slots[b] = slots[s*each : (s+1)*each]
		out = append(out, b)
	}
	return out, nil
}

// compareFinals compares the weights after a run.
func compareFinals(env *Env, c *Case, r *Report, dump *Dump, pass *kernels.Pass, file *weights.File, ws []*params.Weight) error {
	of := map[string]*params.Weight{}
	for _, w := range ws {
		of[w.Name] = w
	}
	for _, name := range file.Names() {
		rest, ok := strings.CutPrefix(name, "out.final.")
		if !ok {
			continue
		}
		w := of[rest]
		if w == nil {
			r.Failf("%s: this build does not train it", name)
			continue
		}
		want, err := file.Float32(name)
		if err != nil {
			return err
		}
		got, err := w.Values(pass)
		if err != nil {
			return err
		}
		dump.Float32(name, got, w.Shape...)
		r.Tensor(env, c, name, got, want)
	}
	return dump.Close()
}

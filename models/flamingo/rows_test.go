package flamingo

import (
	"bytes"
	"fmt"
	"testing"

	"mmc4/kernels"
	"mmc4/models/lm"
	"mmc4/models/weights"
)

// Training two rows of the embedding gives the loss, the gradients and, after a step, the checkpoint of training all of it with
// all other rows' gradients cleared: with tied heads and own ones, packed and not, in fp32 and bf16, with recomputation.
func TestRows(t *testing.T) {
	for _, text := range []string{"opt", "neox", "gpt2"} {
		for _, bf16 := range []bool{false, true} {
			for _, checkpoint := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s bf16 %v checkpoint %v", text, bf16, checkpoint), func(t *testing.T) { testRows(t, text, bf16, checkpoint) })
			}
		}
	}
}

func testRows(t *testing.T, text string, bf16, checkpoint bool) {
	var losses, grads, saved [2][]float32
	for i, rows := range []bool{false, true} {
		o, po := Options{Train: true, Rows: rows, BF16: bf16}, kernels.PassOptions{Grad: true, Checkpoint: checkpoint}
		if bf16 {
			o.DType, po.DType = kernels.BF16, kernels.BF16
		}
		b := open(t, tinyConfig(t, text, "", ""), o, po)
		if err := b.model.Freeze(b.dev, b.queue, true); err != nil {
			t.Fatal(err)
		}
		loss := func() kernels.Tensor {
			p := prompt()
			media := b.model.Resample(b.pass, b.images(3, 1), 1, 3, slots)
			loss, _ := b.model.Loss(b.pass, b.model.Hidden(b.pass, lm.Input{IDs: p.IDs, Rows: 3, Mask: p.Mask}, media, nil), p.IDs)
			return loss
		}
		x := loss()
		b.pass.Backward(x, 1)
		b.model.MaskEmbedding(b.queue)
		losses[i] = b.floats(t, x)
		for _, w := range b.model.Trained() {
			g := b.floats(t, w.Param.Grad)
			if w == b.model.Embedding[0] && !rows {
				g = g[58*24 : 60*24]
			}
			grads[i] = append(grads[i], g...)
			b.pass.Do(&kernels.Add{A: w.Param.Value, B: w.Param.Grad, Out: w.Param.Value, Scale: -0.1}) // a step
			if !w.Param.Compute.None() {
				b.pass.Do(&kernels.Copy{Src: w.Param.Value, Dst: w.Param.Compute})
			}
		}
		b.model.Updated(b.queue)
		b.pass.Reset()
		losses[i] = append(losses[i], b.floats(t, loss())...)
		var file bytes.Buffer
		if err := b.model.Save(b.pass, &file, nil); err != nil {
			t.Fatal(err)
		}
		f, err := weights.OpenReaderAt(bytes.NewReader(file.Bytes()), int64(file.Len()), "saved")
		if err != nil {
			t.Fatal(err)
		}
		table, err := f.Float32(b.model.Config.embedName())
		if err != nil || len(table) != 61*24 {
			t.Fatalf("the saved embedding has %d numbers: %v", len(table), err)
		}
		saved[i] = table
	}
	limit := 1e-5
	if bf16 {
		limit = 3e-2
	}
	for name, pair := range map[string][2][]float32{"losses": losses, "gradients": grads, "saved embedding": saved} {
		if d := off(pair[1], pair[0]); d > limit {
			t.Errorf("%s: off by %g", name, d)
		}
	}
}

package lm

import (
	"slices"
	"testing"

	"mmc4/kernels"
)

// TestRepeatedStepIsTheStep compares the logits of a recorded step, done again and again, with those of steps that are built
// anew, to the bit: for all families, rows padded and not, fp32 and bf16.
func TestRepeatedStepIsTheStep(t *testing.T) {
	const rows, length, steps = 3, 7, 6
	for name, config := range tiny {
		for _, dtype := range []kernels.DType{kernels.F32, kernels.BF16} {
			for _, padded := range []bool{true, false} {
				b := openTiny(t, config, Options{DType: dtype}, kernels.PassOptions{DType: dtype})
				ids, mask := paddedIDs(rows, length, b.model.Config.Vocab)
				if !padded {
					mask = nil
				}
				logits := func(again bool) (all [][]float32) {
					d := &decoder{m: b.model, p: b.pass, prompt: Prompt{IDs: ids, Rows: rows, Mask: mask}, o: Decoding{MaxNew: steps + 1, Sample: &Sampling{}}, length: length}
					defer d.free()
					if _, err := d.begin(1); err != nil {
						t.Fatal(name, err)
					}
					draw := newSampler(d.o.Sample, rows)
					for step := range steps {
						next := []int32{int32(4 + step), int32(9 + 2*step), int32(40 - step)}
						var out kernels.Tensor
						if again {
							if _, err := d.again(draw, next, steps-step); err != nil {
								t.Fatal(name, err)
							}
							out = d.repeat.logits
						} else {
							d.p.Reset()
							out = d.read(next, rows, 1, false)
						}
						v, err := d.p.Float32(out)
						if err != nil {
							t.Fatal(name, err)
						}
						all = append(all, v)
					}
					return all
				}
				got, want := logits(true), logits(false)
				for step := range want {
					if !slices.Equal(got[step], want[step]) {
						t.Errorf("%s, %v, padded %v: step %d differs", name, dtype, padded, step)
					}
				}
			}
		}
	}
}

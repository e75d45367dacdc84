package train

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"mmc4/kernels"
	"mmc4/kernels/device"
	"mmc4/train/data"
)

// TestStepsAhead takes steps of which some are not to be learnt from, with and without looking at each before the next is
// queued: what they find, the weights and the moments are the same to the bit, over more updates than hyperparameters lie
// ready for.
func TestStepsAhead(t *testing.T) {
	const dim, rows, steps = 5, 7, tableRows + 40
	batch := func(step int) *data.Batch {
		b := &data.Batch{Rows: rows}
		for row := range rows {
			label := int32((step + row) % 2)
			b.Labels = append(b.Labels, label)
			for k := range dim {
				b.Features = append(b.Features, float32(math.Sin(float64(step*31+row*7+k)))+float32(label))
			}
		}
		switch step % 50 {
		case 3, 4, 17: // two after each other, too
			b.Features[step%len(b.Features)] = float32(math.NaN())
		case 20: // a finite loss whose gradient is not
			b.Features[0] = math.MaxFloat32
		case 30:
			b.Rows, b.Features, b.Labels = 0, nil, nil
		}
		return b
	}
	take := func(t *testing.T, name string, ahead int) (told []string, weights []float32) {
		t.Helper()
		dev, err := device.Open(name)
		if err != nil {
			t.Skip(err)
		}
		defer dev.Close()
		q, err := dev.NewQueue()
		if err != nil {
			t.Fatal(err)
		}
		task, err := NewProbe(dev, q, dim, 0.1)
		if err != nil {
			t.Fatal(err)
		}
		opt, err := NewOptimizer(dev, q, AdamW{LR: 0.1, Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, Clip: 0.5}, task.Groups())
		if err != nil {
			t.Fatal(err)
		}
		opt.Step = 2 // as after a checkpoint
		pass := kernels.NewPass(dev, q, kernels.NewArena(dev, 0), kernels.PassOptions{Grad: true})
		s := &Stepper{Task: task, Optimizer: opt, Schedule: Schedule{Kind: "cosine", Warmup: 20, Total: steps}, Pass: pass, Streams: 1, Watch: []kernels.Tensor{task.bias.Param.Value}}
		var begun []*Begun
		settle := func(but int) {
			for len(begun) > but {
				r, err := begun[0].Result()
				if err != nil {
					t.Fatal(err)
				}
				told, begun = append(told, fmt.Sprint(r, opt.Step)), begun[1:]
			}
		}
		for i := range steps {
			b, err := s.Begin([]Part{{Weight: 1, Batch: batch(i)}})
			if err != nil {
				t.Fatal(err)
			}
			begun = append(begun, b)
			settle(ahead)
		}
		settle(0)
		if counted, err := pass.Int32(s.memory.updates); err != nil || int(counted[0]) != opt.Step || opt.Step-2 > steps-5*(steps/50) || opt.Step-2 < tableRows {
			t.Errorf("%s, %d ahead: the device made %v updates (%v), the host counts %d in %d steps", name, ahead, counted, err, opt.Step, steps)
		}
		for _, p := range opt.params {
			for _, x := range []kernels.Tensor{p.W, p.M, p.V} {
				v, err := pass.Float32(x)
				if err != nil {
					t.Fatal(err)
				}
				weights = append(weights, v...)
			}
		}
		return told, weights
	}
	for _, name := range []string{"ref", "cpu"} {
		want, weights := take(t, name, 0)
		for _, w := range weights {
			if bad(float64(w)) {
				t.Fatalf("%s: a weight or moment is %v", name, w)
			}
		}
		for _, ahead := range []int{1, 5} {
			got, other := take(t, name, ahead)
			if !slices.Equal(got, want) {
				t.Errorf("%s, %d ahead: other results", name, ahead)
			}
			if !slices.Equal(other, weights) {
				t.Errorf("%s, %d ahead: other weights", name, ahead)
			}
		}
	}
}

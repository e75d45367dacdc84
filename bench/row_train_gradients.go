package bench

// The gradients of a step in fp32, ours and torch's, against torch's in float64 from the same weights and the same fp32 pixels.
//
// What they are off is rounding of the forward pass that changes the sign of a state before a ReLU of the language model: a step of the
// gradient, which all layers below it share. Sums of products are all that counts there. As one fp32 chain over all of k (kernels/cpu
// cuts them) ours were twice as far off as torch's; summed in float64 they are right to 7e-6. Pixels are torch's to the bit, and a better
// normal distribution function in GELU changes nothing.

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"

	"mmc4/models/weights"
	"mmc4/train"
)

func openTrainGradients(ctx context.Context, lab *Lab) (*Contest, error) {
	shape, err := writeTraining(lab, trainConfig)
	if err != nil {
		return nil, err
	}
	peer, err := trainPeer(lab, shape, 1)
	if err != nil {
		return nil, err
	}
	ours, err := newTrainer(ctx, lab, shape, false)
	if err != nil {
		return nil, errors.Join(err, peer.Close())
	}
	var mine, theirs float64
	agree := func() (string, error) {
		loss, err := ours.gradients(lab.Path("gradients"))
		if err != nil {
			return "", err
		}
		if _, err := peer.ask("gradients", args{"ours": lab.Path("gradients"), "path": lab.Path("errors")}); err != nil {
			return "", err
		}
		text, err := os.ReadFile(lab.Path("errors"))
		if err != nil {
			return "", err
		}
		var off struct {
			Ours, Theirs []float64
			Loss         float64
		}
		if err := json.Unmarshal(text, &off); err != nil {
			return "", err
		}
		mine, theirs = median(off.Ours), median(off.Theirs)
		if !(mine < 1e-3 && math.Abs(loss-off.Loss) < 1e-6*off.Loss) {
			return "", fmt.Errorf("outputs differ: gradients are off %.2g, the loss is %.7f, not %.7f", mine, loss, off.Loss)
		}
		return fmt.Sprintf("relative L2 errors of %d tensors, median %.2g (torch %.2g), largest %.2g (%.2g); the loss is off %.1g", len(off.Ours),
			mine, theirs, slices.Max(off.Ours), slices.Max(off.Theirs), math.Abs(loss-off.Loss)/off.Loss), nil
	}
	once := func() (float64, float64, error) { return mine, theirs, nil }
	return &Contest{Unit: "1/error", Work: 1, Ours: self{version: "fp32", run: ours.step, close: ours.close}, Theirs: peer, Agree: agree, Once: once}, nil
}

// gradients writes those of the first batch under their numbers in the optimizer's order, and gives the loss.
func (t *trainer) gradients(path string) (float64, error) {
	s := t.stepper
	s.Optimizer.Zero(s.Pass.Queue())
	s.Pass.Reset()
	task := s.Task.(*train.Flamingo)
	loss := task.Loss(s.Pass, 0, t.batches[0])
	s.Pass.Backward(loss, 1)
	value, err := s.Pass.Float32(loss)
	if err != nil {
		return 0, err
	}
	var all []weights.Tensor
	for _, group := range task.Groups() {
		for _, w := range group.Weights {
			grads, err := w.Grads(s.Pass)
			if err != nil {
				return 0, err
			}
			all = append(all, weights.FromFloat32(strconv.Itoa(len(all)), grads, len(grads)))
		}
	}
	var file bytes.Buffer
	if err := weights.Write(&file, all, nil); err != nil {
		return 0, err
	}
	return float64(value[0]), os.WriteFile(path, file.Bytes(), 0o644)
}

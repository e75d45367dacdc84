package bench

// Steps of training the GPT-2 of row_gpt2.go with AdamW, all weights, fp32.

import (
	"context"
	"errors"
	"fmt"
	"math"

	"mmc4/kernels"
	"mmc4/kernels/device"
	"mmc4/models/lm"
	"mmc4/models/lm/params"
	"mmc4/models/weights"
	"mmc4/train"
)

const (
	learnRows, learnTokens = 4, 256
	learnSteps             = 50 // whose losses are compared, each of a batch of its own
)

var learnAdamW = train.AdamW{LR: 1e-4, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decay: 0.01}

var gpt2TrainRow = Row{Name: "gpt2.train", Input: fmt.Sprintf("GPT-2 125M, a step of AdamW on %d x %d tokens, fp32", learnRows, learnTokens), Peer: "torch float32", Bar: 1,
	Open: func(ctx context.Context, lab *Lab) (*Contest, error) {
		path, err := writeWeights(lab, "gpt2", "gpt2.safetensors", gpt2Tensors())
		if err != nil {
			return nil, err
		}
		config, err := lab.Write("config.json", []byte(gpt2Config))
		if err != nil {
			return nil, err
		}
		ids := make([]int32, learnSteps*learnRows*learnTokens)
		rng := lab.Rand("ids")
		for i := range ids {
			ids[i] = rng.Int32N(50257)
		}
		input, err := lab.Write("ids.i32", kernels.EncodeInts(ids))
		if err != nil {
			return nil, err
		}
		peer, err := lab.Python("gpt2_train_peer.py", args{"weights": path, "config": config, "ids": input, "rows": learnRows, "tokens": learnTokens,
			"lr": learnAdamW.LR, "betas": []float64{learnAdamW.Beta1, learnAdamW.Beta2}, "eps": learnAdamW.Eps, "decay": learnAdamW.Decay})
		if err != nil {
			return nil, err
		}
		dev, err := device.Open("cpu")
		if err != nil {
			return nil, errors.Join(Unavailable{err.Error()}, peer.Close())
		}
		l, err := newLearner(ctx, dev, path, ids)
		if err != nil {
			return nil, errors.Join(err, peer.Close())
		}
		agree := func() (string, error) {
			mine, learned := make([]float32, learnSteps), make(chan error, 1)
			go func() { // beside the peer: nothing is timed yet
				for step := range mine {
					if err := l.step(); err != nil {
						learned <- err
						return
					}
					mine[step] = l.loss
				}
				learned <- nil
			}()
			data, err := peer.Output(lab)
			if err = errors.Join(err, <-learned); err != nil {
				return "", err
			}
			losses := kernels.DecodeFloats(kernels.F32, data)
			if len(losses) != learnSteps {
				return "", fmt.Errorf("the peer gave %d losses, want %d", len(losses), learnSteps)
			}
			worst := 0.0
			for step, theirs := range losses {
				off := math.Abs(float64(mine[step]-theirs)) / float64(theirs)
				if !(off <= 1e-4) {
					return "", fmt.Errorf("loss of step %d: ours %v, theirs %v", step+1, mine[step], theirs)
				}
				worst = max(worst, off)
			}
			return fmt.Sprintf("losses of %d steps within %.0e", learnSteps, worst), nil
		}
		return &Contest{Unit: "tokens/s", Work: learnRows * learnTokens, Ours: self{run: l.step, close: l.close}, Theirs: peer, Agree: agree}, nil
	}}

// learner is our model in training.
type learner struct {
	dev   kernels.Device
	queue kernels.Queue
	file  *weights.File
	model *lm.Model
	pass  *kernels.Pass
	opt   *train.Optimizer
	ids   []int32
	steps int
	loss  float32 // of the last step, before its update
}

func newLearner(ctx context.Context, dev kernels.Device, path string, ids []int32) (*learner, error) {
	queue, err := dev.NewQueue()
	if err != nil {
		return nil, err
	}
	file, err := weights.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	config, err := lm.ParseConfig([]byte(gpt2Config))
	if err != nil {
		return nil, err
	}
	model, err := lm.New(dev, queue, lm.Files(config, file), config, lm.Options{})
	if err == nil {
		err = params.Train(dev, queue, false, model.Weights...)
	}
	if err != nil {
		return nil, err
	}
	opt, err := train.NewOptimizer(dev, queue, learnAdamW, []train.Group{{Weights: model.Weights, Decay: learnAdamW.Decay}})
	if err != nil {
		return nil, err
	}
	pass := kernels.NewPass(dev, queue, kernels.NewArena(dev, 0), kernels.PassOptions{Grad: true})
	return &learner{dev: dev, queue: queue, file: file, model: model, pass: pass, opt: opt, ids: ids}, queue.Wait()
}

func (l *learner) step() error {
	const size = learnRows * learnTokens
	batch := l.ids[l.steps%learnSteps*size:][:size]
	l.steps++
	l.pass.Reset()
	l.opt.Zero(l.queue)
	loss, _ := l.model.Loss(l.pass, l.model.Hidden(l.pass, lm.Input{IDs: batch, Rows: learnRows}), batch)
	l.pass.Backward(loss, 1)
	l.opt.Update(l.pass, learnAdamW.LR, kernels.Tensor{})
	values, err := l.pass.Float32(loss)
	if err == nil {
		l.loss = values[0]
	}
	return err
}

func (l *learner) close() error {
	l.pass.Arena().Free()
	l.model.Free()
	return errors.Join(l.file.Close(), l.dev.Close())
}

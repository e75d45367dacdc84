package bench

// Steps of training a Flamingo, beside open_flamingo: ViT-B/32, OPT-125M's shape, cross attention before every layer; batches
// of 4 documents of 256 tokens with 3 pictures in 6 slots. Weights are random, of true size.

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"

	"mmc4/kernels"
	"mmc4/train"
)

var trainRows = []Row{
	{Name: "train.flamingo", Input: trainInput + ", one thread", Peer: openFlamingo, Bar: 2, Open: trainRow{threads: 1, losses: trainBatches}.open},
	{Name: "train.flamingo-2t", Input: trainInput + ", two threads by the clock", Peer: openFlamingo, Bar: 2, Open: trainRow{threads: 2, losses: 50}.open},
	{Name: "train.cached", Input: trainInput + ", ours with kept visual tokens", Peer: openFlamingo, Bar: 3, Open: trainRow{threads: 1, losses: trainBatches, kept: true}.open},
	{Name: "train.memory", Input: trainInput + ", largest memory", Peer: openFlamingo, Bar: 1 / 0.6, Open: trainRow{threads: 1, losses: 3, memory: true}.open},
	{Name: "train.gradients", Input: trainInput + ", 1 / how far the gradients of a step are from those of torch float64", Peer: openFlamingo, Bar: 1, Open: openTrainGradients},
	{Name: "train.products", Input: trainInput + ", its operations a second", Peer: "our matrix product", Bar: 0.6, Open: openTrainProducts},
}

const (
	openFlamingo = "open_flamingo 2.0.1, torch fp32"
	trainInput   = "Flamingo of ViT-B/32 and OPT-125M, 4 x 256 tokens, 3 pictures in 6 slots, fp32"

	trainBatches = 8 // that are learnt from in turn
	docRows      = 4
	docTokens    = 256
	docPictures  = 3
	docSlots     = 6
)

// trainRow is one way to compare.
type trainRow struct {
	threads int
	losses  int  // steps whose losses are compared
	kept    bool // ours reads visual tokens that were kept
	memory  bool // what is compared is the largest memory
}

func (r trainRow) open(ctx context.Context, lab *Lab) (*Contest, error) {
	runtime.GOMAXPROCS(r.threads) // Run sets it back
	shape, err := writeTraining(lab, trainConfig)
	if err != nil {
		return nil, err
	}
	peer, err := trainPeer(lab, shape, r.threads)
	if err != nil {
		return nil, err
	}
	ours, err := newTrainer(ctx, lab, shape, r.kept)
	if err != nil {
		return nil, errors.Join(err, peer.Close())
	}
	if r.memory {
		if err := resetPeak(); err != nil {
			return nil, errors.Join(err, ours.close(), peer.Close())
		}
	}
	agree := func() (string, error) { return r.agree(ours, peer, lab) }
	words := fmt.Sprintf("fp32, %d thread", r.threads)
	if r.threads > 1 {
		words += "s"
	}
	c := &Contest{Unit: "samples/s", Work: docRows, Ours: self{version: words, run: ours.step, close: ours.close, clock: r.threads > 1}, Theirs: peer, Agree: agree}
	if r.memory {
		c.Unit, c.Work = "1/GB", 1
		c.Once = func() (mine, theirs float64, err error) {
			if mine, err := peakBytes(); err == nil {
				a, err := peer.ask("memory", nil)
				return float64(mine) / 1e9, float64(a.Peak) / 1e9, err
			}
			return 0, 0, err
		}
	}
	return c, nil
}

func trainPeer(lab *Lab, shape *training, threads int) (*Peer, error) {
	return lab.Python("train_peer.py", args{"folder": lab.Dir, "slots": docSlots, "steps": trainBatches, "rows": docRows, "tokens": docTokens,
		"used": docPictures, "media": shape.config.Media, "eoc": shape.config.EOC, "mean": shape.preprocess.Mean[:], "std": shape.preprocess.Std[:],
		"lr": trainAdamW.LR, "warmup": trainWarmup, "threads": threads})
}

// agree takes steps on both sides, each from its own weights, and compares their losses.
func (r trainRow) agree(ours *trainer, peer *Peer, lab *Lab) (string, error) {
	const limit = 1e-4 // relative
	var worst, first, last float64
	for k := range r.losses {
		var theirs float64
		if err := peer.OutputJSON(lab, &theirs); err != nil {
			return "", err
		}
		if err := ours.step(); err != nil {
			return "", err
		}
		off := math.Abs(ours.loss-theirs) / math.Abs(theirs)
		if !(off <= limit) {
			return "", fmt.Errorf("outputs differ: the loss of step %d is %.6f, the peer's %.6f", k+1, ours.loss, theirs)
		}
		if worst = max(worst, off); k == 0 {
			first = theirs
		}
		last = theirs
	}
	return fmt.Sprintf("losses of %d steps within %.1g (%.4f to %.4f)", r.losses, worst, first, last), nil
}

// openTrainProducts compares a step with as many operations of bare matrix products of the step's own size.
func openTrainProducts(ctx context.Context, lab *Lab) (*Contest, error) {
	shape, err := writeTraining(lab, trainConfig)
	if err != nil {
		return nil, err
	}
	ours, err := newTrainer(ctx, lab, shape, false)
	if err != nil {
		return nil, err
	}
	work := train.FlamingoFLOPs(shape.config, docRows, docTokens, docRows*docPictures, float64(shape.lossTokens)/(docRows*docTokens)) / 1e9
	size := [3]int{docRows * docTokens, 3072, 768}
	a, w := gemmInput(lab, size)
	product, err := newProduct(a, w, size, kernels.F32, true)
	if err != nil {
		return nil, errors.Join(err, ours.close())
	}
	times := int(math.Round(work / gigaflop(size)))
	bare := product.side(fmt.Sprintf("%s, frozen weight, %d times", shapeName(size), times))
	bare.run = func() error {
		for range times {
			product.queue.Do(product.op)
		}
		return product.queue.Wait()
	}
	agree := func() (string, error) { return fmt.Sprintf("a step is %.0f GFLOP", work), ours.step() }
	return &Contest{Unit: "GFLOP/s", Work: work, Ours: self{version: "fp32", run: ours.step, close: ours.close}, Theirs: bare, Agree: agree}, nil
}

// trainAdamW is open_flamingo's.
//
// Rates begin with a linear warm-up, open_flamingo's own. Without one, losses of two
// correct programs part: AdamW's first steps move a weight by the whole rate in the direction of its gradient's sign, also where the
// gradient is the rounding of a zero, and the language model's ReLU turns a rounding into a step of its gradient (train.gradients shows
// how far both programs are from float64).
var trainAdamW = train.AdamW{LR: 1e-4, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decay: 0.1, Clip: 1}

const trainWarmup = 5000 // steps

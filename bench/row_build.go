package bench

// The embed stage of `mmc4 build` over a drawn web, against the bare image tower on the same pictures, made ready before: what
// the journal, reading, decoding, resizing and the sentences cost beside the model. Two threads, by the clock.

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"mmc4/crawl/fetch"
	"mmc4/internal/demo"
	"mmc4/internal/imaging"
	"mmc4/kernels"
	"mmc4/models/clip"
	"mmc4/models/tokenizer"
	"mmc4/pipeline"
)

const buildPages = 16

var buildRows = []Row{buildRow("fp32", kernels.F32), buildRow("bf16", kernels.BF16)}

func buildRow(name string, dtype kernels.DType) Row {
	return Row{Name: "build.embed-" + name, Bar: 0.9, Peer: "the bare tower, pictures decoded before",
		Input: fmt.Sprintf("stage embed of a build of %d drawn pages, ViT-L/14, two threads by the clock", buildPages),
		Open: func(ctx context.Context, lab *Lab) (*Contest, error) {
			if runtime.NumCPU() < 2 {
				return nil, Unavailable{"this machine has one core"}
			}
			runtime.GOMAXPROCS(2) // Run sets it back
			s, err := newEmbedStage(ctx, lab, dtype)
			if err != nil {
				return nil, err
			}
			// The first run is watched: which pictures the stage asks the model for.
			if err := errors.Join(s.run(), s.bare()); err != nil {
				return nil, errors.Join(err, s.close())
			}
			s.watched.done = true
			agree := func() (string, error) { return closeTo(s.watched.features, s.features, 1e-5) }
			return &Contest{Unit: "img/s", Work: float64(s.watched.pictures()), Ours: self{run: s.run, close: s.close, clock: true},
				Theirs: self{version: "the bare tower", run: s.bare, clock: true}, Agree: agree}, nil
		}}
}

// embedStage is a build that has counted its pictures, and the tower twice: in the build's model, and bare.
type embedStage struct {
	ctx      context.Context
	cfg      pipeline.Config
	model    *clip.Model
	watched  *watchedEmbedder
	tower    *tower
	features []float32 // that the bare tower made of the watched pictures
}

func newEmbedStage(ctx context.Context, lab *Lab, dtype kernels.DType) (s *embedStage, err error) {
	s = &embedStage{ctx: ctx}
	path, err := writeWeights(lab, "clip", "clip.safetensors", clipTensors())
	if err != nil {
		return nil, err
	}
	if s.tower, err = newTower(ctx, path, dtype); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	tokens, err := tokenizer.NewCLIP([]byte(oneMerge))
	if err != nil {
		return nil, err
	}
	if s.model, err = newCLIP(ctx, path, s.tower.dev, tokens, dtype); err != nil {
		return nil, err
	}
	embedder, err := pipeline.NewEmbedder(s.model, s.tower.dev, dtype)
	if err != nil {
		return nil, err
	}
	s.watched = &watchedEmbedder{Embedder: embedder, prepare: s.model.Preprocess}
	return s, s.count(lab)
}

// count runs the stages before embed on a web that is served meanwhile.
func (s *embedStage) count(lab *Lab) (err error) {
	web := lab.Path("web")
	if _, err := demo.Write(web, demo.Options{Seed: lab.Seed, Pages: buildPages}); err != nil {
		return err
	}
	server, err := demo.Serve(s.ctx, web)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	s.cfg = pipeline.Config{Settings: pipeline.DefaultSettings(), Out: lab.Path("run"), Embedder: s.watched, ClipName: "bench", Workers: 2,
		C4: []string{filepath.Join(web, "c4", "*.json.gz")}, WAT: []string{filepath.Join(web, "crawl-data", "*", "segments", "*", "wat", "*.wat.gz")}}
	s.cfg.Fetch.Contact = "bench@example.org"
	for _, words := range server.ConnectTo() {
		rule, err := fetch.ParseConnectTo(words)
		if err != nil {
			return err
		}
		s.cfg.Fetch.ConnectTo = append(s.cfg.Fetch.ConnectTo, rule)
	}
	for _, stage := range []string{"locate", "fetch", "inspect", "count"} {
		s.cfg.Stage = stage
		if _, err := pipeline.Build(s.ctx, s.cfg, silent{}); err != nil {
			return fmt.Errorf("stage %s: %w", stage, err)
		}
	}
	s.cfg.Stage = "embed"
	return nil
}

// run is the stage anew: what the journal says of it is forgotten before.
func (s *embedStage) run() error {
	for _, phase := range []string{"embed.images", "embed.sentences"} {
		if err := errors.Join(os.RemoveAll(filepath.Join(s.cfg.Out, "work", "journal", phase)), os.RemoveAll(filepath.Join(s.cfg.Out, "work", phase))); err != nil {
			return err
		}
	}
	_, err := pipeline.Build(s.ctx, s.cfg, silent{})
	return err
}

// bare computes the features of the watched pictures.
func (s *embedStage) bare() error {
	const one = 3 * vitSide * vitSide
	s.features = s.features[:0]
	for rest := s.watched.pixels; len(rest) > 0; {
		n := min(embedBatch, len(rest)/one)
		rows, err := s.tower.features(rest[:n*one], n)
		if err != nil {
			return err
		}
		s.features, rest = append(s.features, rows...), rest[n*one:]
	}
	return nil
}

func (s *embedStage) close() error {
	var err error
	if s.model != nil {
		err = s.model.Close()
	}
	return errors.Join(err, s.tower.close())
}

// watchedEmbedder keeps what it is asked for, and its answers, until it is done.
type watchedEmbedder struct {
	pipeline.Embedder
	prepare  clip.Preprocess
	done     bool
	mu       sync.Mutex // of the two lists
	pixels   []float32  // [n, 3, side, side]
	features []float32  // [n, dim]
}

func (w *watchedEmbedder) pictures() int { return len(w.features) / vitDim }

func (w *watchedEmbedder) EncodeImages(ctx context.Context, pictures []*imaging.RGB) ([][]float32, error) {
	rows, err := w.Embedder.EncodeImages(ctx, pictures)
	if err != nil || w.done {
		return rows, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, m := range pictures {
		w.pixels, w.features = append(w.pixels, w.prepare.Tensor(m)...), append(w.features, rows[i]...)
	}
	return rows, nil
}

// silent shows no progress.
type silent struct{}

func (silent) Update(pipeline.StageProgress) {}
func (silent) Note(string)                   {}

package train

// A config's model on a device, ready to be taught.

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"mmc4/kernels"
	"mmc4/models/clip"
	"mmc4/models/flamingo"
	"mmc4/models/lm"
	"mmc4/models/lm/params"
	"mmc4/models/tokenizer"
	"mmc4/models/weights"
	"mmc4/train/data"
)

// workplace is a model with its optimizer on a device.
type workplace struct {
	config *Config
	shapes *shapes
	dev    kernels.Device
	pass   *kernels.Pass
	task   Task
	opt    *Optimizer
	read   *reading
	notes  []string
	source params.Source // of a language model with adapters
	files  []*weights.File
}

func (s *workplace) close() {
	s.visual().close()
	if s.opt != nil {
		s.opt.Free()
	}
	if s.task != nil {
		s.task.Free()
	}
	if s.pass != nil {
		s.pass.Arena().Free()
	}
	for _, f := range s.files {
		f.Close()
	}
	s.dev.Close()
}

// visual is the kept tokens of a Flamingo, or nil.
func (s *workplace) visual() *Visual {
	if f, ok := s.task.(*Flamingo); ok {
		return f.Visual
	}
	return nil
}

func (s *workplace) file(ctx context.Context, path string) (*weights.File, error) {
	if path == "" {
		return nil, nil
	}
	f, err := weights.Open(ctx, path)
	if err == nil {
		s.files = append(s.files, f)
	}
	return f, err
}

// openTokens reads the tokenizer and makes the config's shape agree with it.
func (c *Config) openTokens(ctx context.Context) (*reading, *shapes, error) {
	shapes, err := c.parse(ctx)
	if err != nil {
		return nil, nil, err
	}
	r := &reading{config: c}
	if c.Kind == KindProbe {
		return r, shapes, nil
	}
	if c.Tokenizer.Path == "" {
		return nil, nil, wrong("tokenizer.path is missing")
	}
	t, err := tokenizer.Load(c.Tokenizer.Path)
	if err != nil {
		return nil, nil, wrong("tokenizer: %w", err)
	}
	if c.Kind == KindCLIP {
		own, ok := t.(*tokenizer.CLIP)
		if !ok {
			return nil, nil, wrong("tokenizer: %s is not CLIP's", c.Tokenizer.Path)
		}
		if own.Size() > shapes.clip.Text.Vocab {
			return nil, nil, wrong("the tokenizer has %d ids, the text tower %d: tokenizer and model do not belong together", own.Size(), shapes.clip.Text.Vocab)
		}
		r.clip, r.context, r.preprocess = own, shapes.clip.Text.Context, clip.OpenAIPreprocess(shapes.clip.Vision.ImageSize)
		return r, shapes, nil
	}
	if r.tokens, err = data.NewTokens(t, c.Tokenizer.EOS, c.Tokenizer.Pad); err != nil {
		return nil, nil, wrong("%w", err)
	}
	if c.Kind == KindLM {
		if r.tokens.Size() > shapes.lm.Vocab {
			return nil, nil, wrong("the tokenizer has %d ids, the language model %d: set model.vocab_size to at least %d", r.tokens.Size(), shapes.lm.Vocab, r.tokens.Size())
		}
		return r, shapes, nil
	}
	r.preprocess = clip.OpenAIPreprocess(shapes.flamingo.Vision.ImageSize)
	return r, shapes, fit(&shapes.flamingo, int(r.tokens.Media), int(r.tokens.EOC), int(r.tokens.Pad), r.tokens.Size())
}

// openModel makes the model and its optimizer.
func openModel(ctx context.Context, c *Config, dev kernels.Device) (s *workplace, err error) {
	s = &workplace{config: c, dev: dev}
	defer func() {
		if err != nil {
			s.close()
			s = nil
		}
	}()
	if s.read, s.shapes, err = c.openTokens(ctx); err != nil {
		return s, err
	}
	queue, err := dev.NewQueue()
	if err != nil {
		return s, err
	}
	_, dtype := c.dtypes()
	bf16 := dtype == kernels.BF16
	s.pass = kernels.NewPass(dev, queue, kernels.NewArena(dev, 0), kernels.PassOptions{DType: dtype, Grad: true, Checkpoint: c.Checkpoint})
	switch c.Kind {
	case KindFlamingo:
		err = s.openFlamingo(ctx, queue, bf16)
	case KindCLIP:
		err = s.openCLIP(ctx, queue, bf16)
	case KindLM:
		err = s.openLM(ctx, queue, bf16)
	case KindProbe:
		err = s.openProbe(ctx, queue)
	}
	if err != nil {
		return s, err
	}
	if s.opt, err = NewOptimizer(dev, queue, c.Optimizer, s.task.Groups()); err != nil {
		return s, err
	}
	return s, queue.Wait()
}

func (s *workplace) openFlamingo(ctx context.Context, queue kernels.Queue, bf16 bool) error {
	c := s.config
	dtype, _ := c.dtypes()
	var from flamingo.Sources
	var err error
	if from.Vision, err = s.file(ctx, c.Weights.Vision); err != nil {
		return wrong("weights.vision: %w", err)
	}
	if from.Vision == nil && (c.Visual.Path == "" || c.Visual.Missing != "refuse") {
		return wrong("weights.vision is missing: the frozen image tower (not needed where visual_tokens are there and missing ones refused)")
	}
	if c.Visual.Path != "" && c.Compat {
		return wrong("visual_tokens cannot be used with --compat: it shows the tower pictures of zeros")
	}
	if from.LM, err = s.file(ctx, c.Weights.LM); err != nil {
		return wrong("weights.lm: %w", err)
	}
	if err := s.read.belongs("weights.lm", c.Weights.LM); err != nil {
		return err
	}
	if from.Flamingo, err = s.file(ctx, c.Weights.Start); err != nil {
		return wrong("weights.start: %w", err)
	}
	m, err := flamingo.New(s.dev, queue, s.shapes.flamingo, from, flamingo.Options{DType: dtype, Seed: c.Seed, Train: true, BF16: bf16, FreezeEmbedding: c.Freeze, Rows: true, LoRA: c.LoRA.lm()})
	if err != nil {
		return err
	}
	s.notes = append(s.notes, m.Notes...)
	f := &Flamingo{Model: m, Preprocess: s.read.preprocess, Decay: c.Optimizer.Decay, EmptySlots: c.Compat}
	s.task = f
	if c.Visual.Path != "" {
		if err := s.openVisual(ctx, f, dtype, bf16); err != nil {
			return err
		}
	}
	return describe(m.Freeze(s.dev, queue, true), "frozen weights")
}

func (s *workplace) openLM(ctx context.Context, queue kernels.Queue, bf16 bool) error {
	var source params.Source
	file, err := s.file(ctx, s.config.Weights.Start)
	if err != nil {
		return wrong("weights.start: %w", err)
	}
	if file != nil {
		if err := s.read.belongs("weights.start", s.config.Weights.Start); err != nil {
			return err
		}
		source = lm.Files(s.shapes.lm, file)
	}
	c, dtype := s.config, kernels.F32
	if c.LoRA != nil {
		dtype, _ = c.dtypes()
	}
	m, err := lm.New(s.dev, queue, source, s.shapes.lm, lm.Options{DType: dtype, Seed: c.Seed, Draw: file == nil})
	if err != nil {
		return err
	}
	if c.LoRA != nil {
		adapters, err := m.AddLoRA(s.dev, queue, *c.LoRA.lm(), bf16, c.Seed, source)
		if err != nil {
			return wrong("%w", err)
		}
		s.source, s.task = source, &Language{Model: m, Adapters: adapters}
		return m.Freeze(s.dev, queue, true)
	}
	s.task, err = NewLanguage(s.dev, queue, m, bf16, s.config.Optimizer.Decay)
	return err
}

func (s *workplace) openProbe(ctx context.Context, queue kernels.Queue) error {
	source, err := s.read.source(ctx, s.config.Streams[0])
	if err != nil {
		return err
	}
	docs, err := source.Read(ctx, 0)
	if err != nil || len(docs) == 0 {
		return fmt.Errorf("the probe's features cannot be read: %w", err)
	}
	task, err := NewProbe(s.dev, queue, len(docs[0].Features), s.config.Optimizer.Decay)
	if err == nil {
		s.task = task
	}
	return err
}

// startScale is the logarithm of the factor that CLIP begins with.
var startScale = float32(math.Log(1 / 0.07))

func (s *workplace) openCLIP(ctx context.Context, queue kernels.Queue, bf16 bool) error {
	path, c := s.config.Weights.Start, s.shapes.clip
	if path == "" {
		dir, err := os.MkdirTemp("", "mmc4-clip-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		path = filepath.Join(dir, "start.safetensors")
		if err := drawCLIP(path, c, s.config.Seed); err != nil {
			return err
		}
	}
	file, err := s.file(ctx, path)
	if err != nil {
		return wrong("weights.start: %w", err)
	}
	vision, err := clip.NewVision(s.dev, queue, file, c.Vision, c.EmbedDim, kernels.F32)
	if err != nil {
		return err
	}
	text, err := clip.NewText(s.dev, queue, file, c.Text, c.EmbedDim, kernels.F32)
	if err != nil {
		return err
	}
	scale := startScale
	if file.Has("logit_scale") {
		if v, err := file.Float32("logit_scale"); err == nil && len(v) == 1 {
			scale = v[0]
		}
	}
	scale = min(max(scale, 0), s.config.Contrast.most()) // where Updated keeps it: else a first step that is skipped would move it
	task, err := NewContrastive(s.dev, queue, vision, text, scale, bf16, s.config.Optimizer.Decay)
	if err != nil {
		return err
	}
	task.Preprocess, task.Contrast = s.read.preprocess, s.config.Contrast
	s.task = task
	return queue.Wait() // trained weights have left the file
}

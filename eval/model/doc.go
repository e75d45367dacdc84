// Package model answers an evaluation's queries with a Flamingo on a device. It reads a model's files and pictures; every
// picture goes through the vision tower and the resampler once a run.
package model

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"mmc4/eval"
	"mmc4/kernels"
	"mmc4/kernels/device"
	"mmc4/models/clip"
	"mmc4/models/flamingo"
	"mmc4/models/tokenizer"
	"mmc4/models/weights"
)

// Usual names of what a model's folder holds.
const (
	configName   = "flamingo.json"
	visionName   = "vision"
	lmName       = "lm"
	flamingoName = "flamingo"
	tokensName   = "tokenizer"
)

// Options say how a model computes.
type Options struct {
	Device string // auto, ref, cpu, cuda
	DType  string // fp32, bf16, int8
	Compat bool   // decode and rank as open_flamingo 2.0 does
}

// Flamingo is a model in use. It is for one goroutine.
type Flamingo struct {
	model      *flamingo.Model
	tokens     tokenizer.Tokenizer
	preprocess clip.Preprocess
	compat     bool

	dev    kernels.Device
	pass   *kernels.Pass
	files  []*weights.File
	seen   memory
	shared prefixes
	image  func(name string) ([]byte, error)
}

// at gives the path of a part: the one that is named, or the usual one below the folder. "" when there is none.
func at(named, dir, usual string, endings ...string) string {
	if named != "" || dir == "" {
		return named
	}
	for _, ending := range append([]string{""}, endings...) {
		path := filepath.Join(dir, usual+ending)
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return ""
}

// Load opens a model. A folder holds flamingo.json (the form of models/flamingo.ParseConfig), a tokenizer (a folder or file
// tokenizer*), and weights: vision, lm and flamingo, each a folder, .safetensors or .pt; parts that are not there are taken
// from the others. image reads a picture.
func Load(ctx context.Context, f eval.ModelFiles, o Options, image func(name string) ([]byte, error)) (*Flamingo, error) {
	endings := []string{".safetensors", ".pt", ".bin"}
	configPath := at(f.Config, f.Dir, configName)
	if configPath == "" {
		return nil, fmt.Errorf("%w: model: no %s in %q: name a folder that has it, or give config", eval.ErrUsage, configName, f.Dir)
	}
	text, err := os.ReadFile(configPath)
	if err != nil {
		return nil, fmt.Errorf("%w: model: %w", eval.ErrUsage, err)
	}
	config, err := flamingo.ParseConfig(text)
	if err != nil {
		return nil, fmt.Errorf("%w: model: %s: %w", eval.ErrUsage, configPath, err)
	}
	m := &Flamingo{compat: o.Compat, image: image}
	ok := false
	defer func() {
		if !ok {
			m.Close()
		}
	}()
	tokens := at(f.Tokenizer, f.Dir, tokensName, ".json", ".model")
	if tokens == "" {
		tokens = f.Dir
	}
	if m.tokens, err = tokenizer.Load(tokens); err != nil {
		return nil, fmt.Errorf("%w: model: %w", eval.ErrUsage, err)
	}
	if err := specials(&config, m.tokens); err != nil {
		return nil, fmt.Errorf("%w: model: %w", eval.ErrUsage, err)
	}
	sources, err := m.open(ctx, at(f.Vision, f.Dir, visionName, endings...), at(f.LM, f.Dir, lmName, endings...), at(f.Flamingo, f.Dir, flamingoName, endings...))
	if err != nil {
		return nil, fmt.Errorf("%w: model: %w", eval.ErrUsage, err)
	}
	if m.dev, err = device.Open(o.Device); err != nil {
		return nil, err
	}
	queue, err := m.dev.NewQueue()
	if err != nil {
		return nil, err
	}
	matrices, activations := kernels.F32, kernels.F32
	switch o.DType {
	case "bf16":
		matrices, activations = kernels.BF16, kernels.BF16
	case "int8":
		matrices = kernels.I8
	}
	if m.model, err = flamingo.New(m.dev, queue, config, sources, flamingo.Options{DType: matrices}); err != nil {
		return nil, fmt.Errorf("%w: model: %w", eval.ErrUsage, err)
	}
	if err := m.model.Freeze(m.dev, queue, false); err != nil {
		return nil, err
	}
	m.preprocess = preprocess(config, text)
	m.pass = kernels.NewPass(m.dev, queue, kernels.NewArena(m.dev, 0), kernels.PassOptions{DType: activations})
	ok = true
	return m, nil
}

// preprocess takes mean and std from the description where it has them.
func preprocess(c flamingo.Config, text []byte) clip.Preprocess {
	p := clip.OpenAIPreprocess(c.Vision.ImageSize)
	var own struct {
		Preprocess struct{ Mean, Std []float32 }
	}
	if json.Unmarshal(text, &own) == nil && len(own.Preprocess.Mean) == 3 && len(own.Preprocess.Std) == 3 {
		p.Mean, p.Std = [3]float32(own.Preprocess.Mean), [3]float32(own.Preprocess.Std)
	}
	return p
}

// specials adds the two tokens to the tokenizer and checks that its ids are the model's.
func specials(c *flamingo.Config, t tokenizer.Tokenizer) error {
	t.AddSpecial("<|endofchunk|>", "<image>")
	for _, s := range []struct {
		text string
		id   *int
	}{{"<|endofchunk|>", &c.EOC}, {"<image>", &c.Media}} {
		id, _ := t.ID(s.text)
		if *s.id < 0 {
			*s.id = id
		}
		if *s.id != id {
			return fmt.Errorf("%s is %d for the tokenizer and %d for the model: they do not belong together", s.text, id, *s.id)
		}
	}
	if c.Pad < 0 {
		c.Pad = c.EOC
		for _, name := range []string{"<PAD>", "<pad>"} {
			if id, ok := t.ID(name); ok {
				c.Pad = id
				break
			}
		}
	}
	return nil
}

// open opens the weights; a part without a file of its own is in one of the others.
func (m *Flamingo) open(ctx context.Context, vision, lm, trained string) (s flamingo.Sources, err error) {
	opened := map[string]*weights.File{}
	one := func(paths ...string) (*weights.File, error) {
		for _, path := range paths {
			if path == "" {
				continue
			}
			if f := opened[path]; f != nil {
				return f, nil
			}
			f, err := weights.Open(ctx, path)
			if errors.Is(err, fs.ErrNotExist) {
				return nil, fmt.Errorf("there is no %s", path)
			}
			if err != nil {
				return nil, err
			}
			opened[path] = f
			m.files = append(m.files, f)
			return f, nil
		}
		return nil, errors.New("no weights are named: give vision, lm and flamingo, or a folder that holds them")
	}
	if s.Flamingo, err = one(trained, lm, vision); err != nil {
		return s, err
	}
	if s.LM, err = one(lm, trained); err != nil {
		return s, fmt.Errorf("a language model is needed: %w", err)
	}
	if s.Vision, err = one(vision, trained); err != nil {
		return s, fmt.Errorf("a vision tower is needed: %w", err)
	}
	return s, nil
}

// Close gives everything back.
func (m *Flamingo) Close() {
	if m.pass != nil {
		m.pass.Wait()
		m.shared.shrink(0)
		m.seen.close()
		m.pass.Arena().Free()
	}
	if m.dev != nil {
		m.dev.Close()
	}
	for _, f := range m.files {
		f.Close()
	}
}

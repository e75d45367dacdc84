// Package text continues text with a language model from a folder: config.json, weights and the tokenizer's files.
//
//	m, err := text.Load(ctx, dir, dev, text.Options{DType: kernels.F32})
//	result, err := m.Continue(ctx, "Once upon a time", text.Choice{MaxNew: 50}, func(piece string) error { ... })
//
// model.go loads and checks that model and tokenizer belong together, continue.go decodes, stream.go turns tokens into
// text as they come.
package text

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"mmc4/kernels"
	"mmc4/models/lm"
	"mmc4/models/tokenizer"
	"mmc4/models/weights"
)

// Options say how a model computes.
type Options struct {
	DType kernels.DType // F32 (also 0), BF16 or I8 (matrices in int8, the rest fp32)
	Check bool          // look for NaN and infinity in the weights first
}

// Model is a language model with its tokenizer, on a device. It is for one goroutine.
type Model struct {
	Config lm.Config
	Tokens tokenizer.Tokenizer
	Notes  []string // what a person should know of the folder

	net  *lm.Model
	pass *kernels.Pass
	file *weights.File
}

// Load opens the model of a folder.
func Load(ctx context.Context, dir string, dev kernels.Device, o Options) (*Model, error) {
	configPath := filepath.Join(dir, "config.json")
	data, err := os.ReadFile(configPath)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is not there: the folder of a language model holds config.json, weights and the tokenizer's files; mmc4 fetch-model brings them", configPath)
	}
	if err != nil {
		return nil, err
	}
	m := &Model{}
	if m.Config, err = lm.ParseConfig(data); err != nil {
		return nil, fmt.Errorf("%s: %w", configPath, err)
	}
	if m.Config.EOS, m.Config.Ends, err = endOfText(dir, m.Config); err != nil {
		return nil, err
	}
	if m.Tokens, err = tokenizer.Load(dir); err != nil {
		return nil, err
	}
	if err := belong(m.Config, m.Tokens); err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	if m.Config.EOS < 0 {
		m.Notes = append(m.Notes, "the model names no end-of-text token: every continuation is as long as asked for")
	}
	if m.file, err = weights.Open(ctx, dir); err != nil {
		return nil, err
	}
	if err := m.build(ctx, dev, o); err != nil {
		m.file.Close()
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return m, nil
}

func (m *Model) build(ctx context.Context, dev kernels.Device, o Options) error {
	if o.Check {
		if err := m.file.CheckFinite(ctx); err != nil {
			return err
		}
	}
	queue, err := dev.NewQueue()
	if err != nil {
		return err
	}
	if m.net, err = lm.New(dev, queue, lm.Files(m.Config, m.file), m.Config, lm.Options{DType: o.DType}); err != nil {
		return err
	}
	if err := m.net.Freeze(dev, queue, false); err != nil {
		return err
	}
	activations := kernels.F32
	if o.DType == kernels.BF16 {
		activations = kernels.BF16
	}
	m.pass = kernels.NewPass(dev, queue, kernels.NewArena(dev, 0), kernels.PassOptions{DType: activations})
	return nil
}

// Close gives all memory and the file back.
func (m *Model) Close() error {
	m.pass.Arena().Free()
	m.net.Free()
	return m.file.Close()
}

// endOfText is the ids of which any ends a continuation: generation_config.json's, else config.json's, -1 when there is none.
func endOfText(dir string, c lm.Config) (first int, others []int, err error) {
	path := filepath.Join(dir, "generation_config.json")
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c.EOS, c.Ends, nil
	}
	if err != nil {
		return 0, nil, err
	}
	var in struct {
		EOS json.RawMessage `json:"eos_token_id"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return 0, nil, fmt.Errorf("%s: %w", path, err)
	}
	if first, others = lm.EndIDs(in.EOS); first < 0 {
		first, others = c.EOS, c.Ends
	}
	return first, others, nil
}

// belong refuses a tokenizer that is not the model's. A model may have more rows than there are tokens, since programs
// round vocabularies up; it never has fewer.
func belong(c lm.Config, t tokenizer.Tokenizer) error {
	const round = 512
	size := t.Size()
	rounded := max((size+round-1)/round*round, size+size/10)
	why := ""
	switch {
	case size > c.Vocab:
		why = "ids of the tokenizer that the model does not know"
	case c.Vocab > rounded:
		why = "more than rounding up explains"
	case c.EOS >= c.Vocab || c.BOS >= c.Vocab:
		return fmt.Errorf("the config's bos_token_id %d or eos_token_id %d is not below its vocab_size %d: write the tokenizer's own ids into config.json (null where it has none)", c.BOS, c.EOS, c.Vocab)
	default:
		return nil
	}
	return fmt.Errorf("the tokenizer has %d tokens, the model %d (%s): they do not belong together; take config, weights and tokenizer from one model", size, c.Vocab, why)
}

package lesson

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"mmc4/kernels"
	"mmc4/kernels/device"
	"mmc4/models/clip"
	"mmc4/models/flamingo"
	"mmc4/models/tokenizer"
	"mmc4/models/weights"
	"mmc4/train"
	"mmc4/train/data"
)

// Options say what the lesson has.
type Options struct {
	Dir              string // where everything is written
	Drawings         string // a folder of drawings to learn from
	Held             string // another one, for the examination
	CLIP             string // a model folder
	Docs             string // docs shards of a build, or ""
	Device           string
	TextSteps, Steps int // of the language model, and of the Flamingo
	Examined         int // held-out drawings; 0: all
}

// Result is how it went.
type Result struct {
	Text     *train.Result `json:"language_model"`
	Flamingo *train.Result `json:"flamingo"`
	Scores   []Score       `json:"scores"`
	Seconds  float64       `json:"seconds"`
}

// Files of a lesson's folder.
const (
	tokenizerName = "tokenizer.json"
	resultName    = "lesson.json"
	textName      = "lm"
	flamingoName  = "flamingo"
	resultsName   = "results" // in eval/
)

const textConfig = `
kind: lm
steps: %d
model: {model_type: gpt2, vocab_size: %d, n_embd: 128, n_layer: 4, n_head: 4, n_positions: 320}
tokenizer: {path: %q, eos: %q}
streams: [{name: prose, format: text, paths: [%q], batch: 8, max_tokens: 96}]
optimizer: {lr: 3e-3, weight_decay: 0.01, clip: 1}
schedule: {kind: cosine, warmup: 20}
save: {every: 200, keep: 1}
`

const flamingoConfig = `
kind: flamingo
steps: %d
model:
  vision: %q
  lm: %q
  perceiver: {depth: 2, heads: 4, dim_head: 32, num_latents: 16, ff_mult: 2}
  xattn: {heads: 4, dim_head: 32, ff_mult: 2}
  cross_attn_every_n_layers: 1
weights: {vision: %q, lm: %q}
tokenizer: {path: %q, eos: %q}
streams:
  - {name: drawings, format: drawings, sequences: pairs, paths: [%q], batch: 16, max_tokens: 32}
  - {name: several, format: docs, paths: [%q], batch: 5, max_tokens: 128, min_bytes: 0}
%soptimizer: {lr: 2e-3, weight_decay: 0.01, clip: 1}
schedule: {kind: cosine, warmup: 20}
save: {every: 200, keep: 1}
`

const docsStream = "  - {name: documents, format: docs, paths: [%q], batch: 2, max_tokens: 160, min_bytes: 0, min_similarity: 0.15, weight: 0.5}\n"

// Run holds the lesson; words and numbers go to out.
func Run(ctx context.Context, o Options, out io.Writer) (*Result, error) {
	began := time.Now()
	drawings, err := readDrawings(o.Drawings)
	if err != nil {
		return nil, err
	}
	text, err := prose(o.Drawings, drawings)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Dir, 0o777); err != nil {
		return nil, err
	}
	textPath, tokenizerPath := filepath.Join(o.Dir, "prose.txt"), filepath.Join(o.Dir, tokenizerName)
	vocabulary, err := learnVocabulary(text, 700)
	if err != nil {
		return nil, err
	}
	for path, content := range map[string][]byte{textPath: []byte(text), tokenizerPath: vocabulary} {
		if err := os.WriteFile(path, content, 0o666); err != nil {
			return nil, err
		}
	}
	t, err := tokenizer.Load(tokenizerPath)
	if err != nil {
		return nil, err
	}
	tokens, err := data.NewTokens(t, endText, "")
	if err != nil {
		return nil, err
	}
	result := &Result{}
	fmt.Fprintf(out, "a vocabulary of %d, a language model on %d sentences\n", tokens.Size(), len(drawings))
	if result.Text, err = teach(ctx, fmt.Sprintf(textConfig, o.TextSteps, tokens.Size(), tokenizerPath, endText, textPath), filepath.Join(o.Dir, textName), o, out); err != nil {
		return nil, err
	}
	if err := writeDocuments(ctx, filepath.Join(o.Dir, "several"), drawings, len(drawings)/2, 1); err != nil {
		return nil, err
	}
	docs := ""
	if o.Docs != "" {
		docs = fmt.Sprintf(docsStream, o.Docs)
	}
	fmt.Fprintf(out, "a Flamingo on %d drawings\n", len(drawings))
	language := result.Text.Checkpoint
	config := fmt.Sprintf(flamingoConfig, o.Steps, o.CLIP, language, o.CLIP, language, tokenizerPath, endText, o.Drawings, filepath.Join(o.Dir, "several/docs/*.parquet"), docs)
	if result.Flamingo, err = teach(ctx, config, filepath.Join(o.Dir, flamingoName), o, out); err != nil {
		return nil, err
	}
	if err := os.RemoveAll(filepath.Join(o.Dir, "eval", resultsName)); err != nil { // of an older model
		return nil, err
	}
	if result.Scores, err = examine(ctx, o, drawings, tokens, result, out); err != nil {
		return nil, err
	}
	result.Seconds = time.Since(began).Seconds()
	summary, err := json.MarshalIndent(result, "", " ")
	if err != nil {
		return nil, err
	}
	return result, os.WriteFile(filepath.Join(o.Dir, resultName), append(summary, '\n'), 0o666)
}

// Finished gives the result of the lesson that was held in a folder; nil when none was held to its end.
func Finished(dir string) (*Result, error) {
	text, err := os.ReadFile(filepath.Join(dir, resultName))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	result := &Result{}
	if err := json.Unmarshal(text, result); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, resultName), err)
	}
	return result, nil
}

// teach writes a config beside its run, and runs it.
func teach(ctx context.Context, text, dir string, o Options, out io.Writer) (*train.Result, error) {
	if err := os.WriteFile(dir+".yaml", []byte(text), 0o666); err != nil {
		return nil, err
	}
	config, err := train.ReadConfig(ctx, dir+".yaml", nil)
	if err != nil {
		return nil, err
	}
	return train.Run(ctx, config, train.Options{Out: dir, Device: o.Device, Progress: func(line train.LogLine) {
		if line.Step%max(config.Steps/12, 1) != 0 && line.Step != config.Steps {
			return
		}
		fmt.Fprintf(out, "  %4d/%d", line.Step, config.Steps)
		for _, s := range config.Streams {
			if loss := line.Loss[s.Name]; loss != nil {
				fmt.Fprintf(out, "  %s %.3f", s.Name, *loss)
			}
		}
		fmt.Fprintln(out)
	}})
}

// examine opens what was taught and scores it.
func examine(ctx context.Context, o Options, drawings []drawing, tokens *data.Tokens, result *Result, out io.Writer) ([]Score, error) {
	dev, err := device.Open(o.Device)
	if err != nil {
		return nil, err
	}
	defer dev.Close()
	queue, err := dev.NewQueue()
	if err != nil {
		return nil, err
	}
	var files [3]*weights.File
	for i, path := range []string{o.CLIP, result.Text.Checkpoint, filepath.Join(result.Flamingo.Checkpoint, "model.safetensors")} {
		if i == 1 {
			path = filepath.Join(path, "model.safetensors")
		}
		if files[i], err = weights.Open(ctx, path); err != nil {
			return nil, err
		}
		defer files[i].Close()
	}
	shape, err := os.ReadFile(filepath.Join(result.Flamingo.Checkpoint, "config.json"))
	if err != nil {
		return nil, err
	}
	config, err := flamingo.ParseConfig(shape)
	if err != nil {
		return nil, err
	}
	config.Media, config.EOC, config.Pad = int(tokens.Media), int(tokens.EOC), int(tokens.Pad)
	model, err := flamingo.New(dev, queue, config, flamingo.Sources{Vision: files[0], LM: files[1], Flamingo: files[2]}, flamingo.Options{})
	if err != nil {
		return nil, err
	}
	side := config.Vision.ImageSize
	e := &examiner{model: model, pass: kernels.NewPass(dev, queue, kernels.NewArena(dev, 0), kernels.PassOptions{}), tokens: tokens,
		preprocess: clip.OpenAIPreprocess(side), reader: newReader()}
	for _, d := range drawings {
		for _, c := range d.Captions {
			e.reader.add(d.Kind, c)
		}
	}
	e.examples = drawings
	if e.held, err = readDrawings(o.Held); err != nil {
		return nil, err
	}
	for _, set := range [][]drawing{e.examples, e.held} {
		if len(set) == 0 || set[0].picture.Width != side {
			return nil, fmt.Errorf("the drawings of %s and %s must have the model's side, %d pixels", o.Drawings, o.Held, side)
		}
	}
	if o.Examined > 0 && len(e.held) > o.Examined {
		e.held = e.held[:o.Examined]
	}
	var scores []Score
	for _, shots := range []int{0, 2, 4} {
		s, err := e.score(ctx, shots)
		if err != nil {
			return nil, err
		}
		scores = append(scores, s)
		fmt.Fprintf(out, "%d examples: %.1f %% of %d captions tell what is drawn; chance %.1f %%, with exchanged pictures %.1f %%\n",
			shots, 100*s.Accuracy, len(e.held), 100*s.Chance, 100*s.Shuffled)
		for _, sample := range s.Samples {
			fmt.Fprintf(out, "    %s\n", sample)
		}
	}
	return scores, nil
}

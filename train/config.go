package train

// The YAML that says what is trained, on what, and how. Unknown keys are refused, and every value is checked before a byte of
// data is read.

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"

	"mmc4/configs"
	"mmc4/internal/storage"
	"mmc4/kernels"
	"mmc4/models/lm"
)

// Kinds of models.
const (
	KindFlamingo = "flamingo"
	KindCLIP     = "clip"
	KindLM       = "lm"
	KindProbe    = "probe"
)

// Config is a training run.
type Config struct {
	Kind       string    `yaml:"kind" json:"kind"`
	Seed       uint64    `yaml:"seed" json:"seed"`
	Steps      int       `yaml:"steps" json:"steps"`           // of the optimizer
	Accumulate int       `yaml:"accumulate" json:"accumulate"` // batches of each stream to a step
	Precision  string    `yaml:"precision" json:"precision"`   // fp32, bf16
	Checkpoint bool      `yaml:"activation_checkpointing" json:"activation_checkpointing"`
	Freeze     bool      `yaml:"freeze_embedding" json:"freeze_embedding"` // flamingo: the rows of new tokens too
	Frozen     string    `yaml:"frozen" json:"frozen,omitempty"`           // what is not trained: "" (as precision), bf16, int8
	Contrast   *Contrast `yaml:"contrast" json:"contrast,omitempty"`       // clip: what is asked besides CLIP's loss
	LoRA       *LoRA     `yaml:"lora" json:"lora,omitempty"`               // flamingo, lm: adapters on the language model

	// Model is the shape: flamingo.ParseConfig's form, open_clip's, or Hugging Face's config.json of a language model. A
	// path in the place of the whole or of vision or lm is read as JSON.
	Model     any             `yaml:"model" json:"model"`
	Weights   WeightsConfig   `yaml:"weights" json:"weights"`
	Tokenizer TokenizerConfig `yaml:"tokenizer" json:"tokenizer"`

	Streams    []StreamConfig   `yaml:"streams" json:"streams"`
	Data       DataConfig       `yaml:"data" json:"data"`
	Optimizer  AdamW            `yaml:"optimizer" json:"optimizer"`
	Schedule   Schedule         `yaml:"schedule" json:"schedule"`
	Validation ValidationConfig `yaml:"validation" json:"validation"`
	Save       SaveConfig       `yaml:"save" json:"save"`
	Visual     VisualConfig     `yaml:"visual_tokens" json:"-"` // changes nothing but speed

	Compat bool `yaml:"-" json:"compat"` // --compat open_flamingo-2.0

	tower string // fingerprint of the tower whose tokens stand in for its weights, or ""
}

// LoRA is low-rank adapters, in PEFT's words. A kind lm then trains them alone.
type LoRA struct {
	Rank    int      `yaml:"r" json:"r"`
	Alpha   float64  `yaml:"lora_alpha" json:"lora_alpha"`
	Targets []string `yaml:"target_modules" json:"target_modules"` // by the end of the modules' names: q_proj, fc1
}

// lm is it for the model; nil stays nil.
func (l *LoRA) lm() *lm.LoRA {
	if l == nil {
		return nil
	}
	return &lm.LoRA{Rank: l.Rank, Alpha: l.Alpha, Targets: l.Targets}
}

// dtypes are those of what is not trained and of activations.
func (c *Config) dtypes() (frozen, activations kernels.DType) {
	frozen, activations = kernels.F32, kernels.F32
	if c.Precision == "bf16" {
		frozen, activations = kernels.BF16, kernels.BF16
	}
	switch c.Frozen {
	case "bf16":
		frozen = kernels.BF16
	case "int8":
		frozen = kernels.I8
	}
	return frozen, activations
}

// WeightsConfig names files or folders; what is not named begins at random.
type WeightsConfig struct {
	Vision string `yaml:"vision" json:"vision"` // flamingo: the frozen tower
	LM     string `yaml:"lm" json:"lm"`         // flamingo: the frozen language model
	Start  string `yaml:"start" json:"start"`   // what is trained: a checkpoint of the same shape
}

// TokenizerConfig is the tokenizer and what its end and padding tokens are called.
type TokenizerConfig struct {
	Path string `yaml:"path" json:"path"`
	EOS  string `yaml:"eos" json:"eos"`
	Pad  string `yaml:"pad" json:"pad"`
}

// StreamConfig is one stream of samples.
type StreamConfig struct {
	Name      string   `yaml:"name" json:"name"`
	Format    string   `yaml:"format" json:"format"`       // docs, pairs, jsonl, webdataset, text, drawings, features
	Sequences string   `yaml:"sequences" json:"sequences"` // flamingo: interleaved, pairs
	Paths     []string `yaml:"paths" json:"paths"`
	Images    string   `yaml:"images" json:"images"` // jsonl: the folder of pictures
	Weight    float64  `yaml:"weight" json:"weight"`
	Batch     int      `yaml:"batch" json:"batch"`
	MaxTokens int      `yaml:"max_tokens" json:"max_tokens"`
	Resample  bool     `yaml:"resample" json:"resample"`

	Assignment    string   `yaml:"assignment" json:"assignment"` // one_to_one, argmax, stored; unsaid: one_to_one, with Compat argmax
	MinSimilarity *float64 `yaml:"min_similarity" json:"min_similarity"`
	MinImages     int      `yaml:"min_images" json:"min_images"`
	MaxImages     int      `yaml:"max_images" json:"max_images"`
	MinBytes      *int     `yaml:"min_bytes" json:"min_bytes"`
	DropSingle    *float64 `yaml:"drop_single" json:"drop_single"`
	Flip          *bool    `yaml:"flip" json:"flip"` // clip: mirror half of the pictures
}

// DataConfig is how streams are read. Workers and Prefetch change nothing but speed.
type DataConfig struct {
	Shuffle  *bool `yaml:"shuffle" json:"shuffle"`
	Window   int   `yaml:"window" json:"window"` // row groups whose documents are mixed
	Workers  int   `yaml:"workers" json:"-"`
	Prefetch int   `yaml:"prefetch" json:"-"`
}

// ValidationConfig asks for the loss on held-out data now and then.
type ValidationConfig struct {
	Every   int            `yaml:"every" json:"every"`
	Batches int            `yaml:"batches" json:"batches"`
	Streams []StreamConfig `yaml:"streams" json:"streams"`
}

// SaveConfig is when checkpoints are written and how many stay.
type SaveConfig struct {
	Every int `yaml:"every" json:"every"`
	Keep  int `yaml:"keep" json:"keep"` // the newest; the one with the best validation loss stays besides
}

// ConfigError is a mistake in a config.
type ConfigError struct{ error }

func (e ConfigError) Unwrap() error { return e.error }

func wrong(format string, args ...any) error { return ConfigError{fmt.Errorf(format, args...)} }

// Defaults are open_flamingo's recipe where it has one.
func Defaults() Config {
	return Config{Seed: 1, Steps: 1000, Accumulate: 1, Precision: "fp32", Data: DataConfig{Window: 4, Workers: 2, Prefetch: 64},
		Optimizer: AdamW{LR: 1e-4, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decay: 0.1, Clip: 1}, Schedule: Schedule{Kind: "constant"},
		Save: SaveConfig{Every: 1000, Keep: 3}, Visual: VisualConfig{Missing: "compute"}, Validation: ValidationConfig{Batches: 8}}
}

// ReadConfig reads a YAML file and key=value changes on top (optimizer.lr=1e-3; streams.0.batch=4 changes a list's element).
func ReadConfig(ctx context.Context, location string, set []string) (*Config, error) {
	ref, err := storage.Locate(ctx, location, storage.Options{})
	if err != nil {
		return nil, ConfigError{err}
	}
	text, err := storage.ReadFile(ctx, ref.Store, ref.Name)
	if err != nil {
		return nil, ConfigError{err}
	}
	var tree map[string]any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		return nil, wrong("%s: %s", location, yaml.FormatError(err, false, true))
	}
	if len(set) == 0 {
		return ParseConfig(text, location)
	}
	var c Config
	if err := configs.Decode(location, text, &c); err != nil { // what the file itself has wrong, at its lines
		return nil, ConfigError{err}
	}
	if tree == nil { // an empty file
		tree = map[string]any{}
	}
	for _, s := range set {
		if err := assign(tree, s); err != nil {
			return nil, err
		}
		if err := configs.Misfit(tree, &c); err != nil {
			return nil, wrong("--set %s: %w", s, err)
		}
	}
	if text, err = yaml.Marshal(tree); err != nil {
		return nil, ConfigError{err}
	}
	return ParseConfig(text, location+" with --set "+strings.Join(set, " --set "))
}

// ParseConfig reads YAML; name stands in errors.
func ParseConfig(text []byte, name string) (*Config, error) {
	c := Defaults()
	if err := configs.Decode(name, text, &c); err != nil {
		return nil, ConfigError{err}
	}
	c.setDefaults()
	if err := c.check(); err != nil {
		return nil, wrong("%s: %w", name, err)
	}
	return &c, nil
}

// assign puts one key=value into a tree of YAML.
func assign(tree map[string]any, s string) error {
	key, text, ok := strings.Cut(s, "=")
	if !ok || key == "" {
		return wrong("--set %q: it must be KEY=VALUE, such as optimizer.lr=1e-3", s)
	}
	var value any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		return wrong("--set %s: %s", s, yaml.FormatError(err, false, false))
	}
	value = numbers(value)
	var at any = tree
	parts := strings.Split(key, ".")
	for i, part := range parts {
		last := i == len(parts)-1
		switch node := at.(type) {
		case map[string]any:
			if last {
				node[part] = value
				return nil
			}
			if node[part] == nil {
				node[part] = map[string]any{}
			}
			at = node[part]
		case []any:
			n := -1
			if _, err := fmt.Sscanf(part, "%d", &n); err != nil || n < 0 || n >= len(node) {
				return wrong("--set %s: %q is no place in a list of %d", s, part, len(node))
			}
			if last {
				node[n] = value
				return nil
			}
			at = node[n]
		default:
			return wrong("--set %s: %q has no keys", s, strings.Join(parts[:i], "."))
		}
	}
	return nil
}

func orDefault[T any](p **T, v T) {
	if *p == nil {
		*p = &v
	}
}

func (c *Config) setDefaults() {
	orDefault(&c.Data.Shuffle, true)
	for _, list := range [][]StreamConfig{c.Streams, c.Validation.Streams} {
		for i := range list {
			s := &list[i]
			if s.Name == "" {
				s.Name = fmt.Sprintf("%s%d", s.Format, i)
			}
			if s.Sequences == "" {
				s.Sequences = "interleaved"
				if c.Kind != KindFlamingo {
					s.Sequences = ""
				}
			}
			if s.Weight == 0 {
				s.Weight = 1
			}
			if s.Batch == 0 {
				s.Batch = 1
			}
			if s.MaxTokens == 0 {
				s.MaxTokens = 256
				if s.Sequences == "pairs" {
					s.MaxTokens = 32
				}
			}
			if s.MinImages == 0 {
				s.MinImages = 1
			}
			if s.MaxImages == 0 {
				s.MaxImages = 6
			}
			orDefault(&s.MinSimilarity, 0.24)
			orDefault(&s.DropSingle, 0.5)
			orDefault(&s.Flip, false)
			if s.Sequences == "interleaved" {
				orDefault(&s.MinBytes, 11000)
			}
			orDefault(&s.MinBytes, 0)
		}
	}
	c.Schedule.Total = c.Steps
}

// canonical is what a checkpoint's config must agree in: everything that changes what is learnt up to any step.
func (c *Config) canonical() map[string]json.RawMessage {
	text, err := json.Marshal(c)
	if err != nil {
		text = []byte("{}") // cannot be: plain values
	}
	var tree map[string]json.RawMessage
	_ = json.Unmarshal(text, &tree)
	for _, key := range []string{"save", "validation"} { // what only looks
		delete(tree, key)
	}
	if c.tower != "" {
		tree["tower"], _ = json.Marshal(c.tower)
	}
	if c.Schedule.Kind == "constant" {
		delete(tree, "steps")
		tree["schedule"], _ = json.Marshal(map[string]any{"kind": c.Schedule.Kind, "warmup": c.Schedule.Warmup})
	}
	return tree
}

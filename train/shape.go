package train

// The shape of a model from a config: inline, or in the JSON file or folder that a path names.

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"mmc4/models/clip"
	"mmc4/models/flamingo"
	"mmc4/models/lm"
)

// shape is the model's description as JSON, with paths replaced by what they hold.
func (c *Config) shape(_ context.Context) ([]byte, error) {
	model := c.Model
	if path, ok := model.(string); ok {
		return readShape(path)
	}
	tree, ok := model.(map[string]any)
	if !ok {
		return nil, wrong("model must be a map or the path of a JSON file")
	}
	out := map[string]any{}
	for key, value := range tree {
		if path, ok := value.(string); ok && (key == "vision" || key == "lm") {
			text, err := readShape(path)
			if err != nil {
				return nil, err
			}
			value = json.RawMessage(text)
		}
		out[key] = numbers(value)
	}
	text, err := json.Marshal(out)
	if err != nil {
		return nil, wrong("model: %w", err)
	}
	return text, nil
}

var scientific = regexp.MustCompile(`^[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$`)

// numbers turns what JSON would read as a number, such as 1e-05, into one: YAML's core schema wants a dot in it.
func numbers(v any) any {
	switch v := v.(type) {
	case string:
		if x, err := strconv.ParseFloat(v, 64); err == nil && scientific.MatchString(v) {
			return x
		}
	case map[string]any:
		for key, value := range v {
			v[key] = numbers(value)
		}
	case []any:
		for i, value := range v {
			v[i] = numbers(value)
		}
	}
	return v
}

func readShape(path string) ([]byte, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		for _, name := range []string{"open_clip_config.json", "config.json"} {
			if text, err := os.ReadFile(filepath.Join(path, name)); err == nil {
				return text, nil
			}
		}
		return nil, wrong("model: %s has neither open_clip_config.json nor config.json", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, wrong("model: %w", err)
	}
	return text, nil
}

// shapes is the parsed shape of whichever kind.
type shapes struct {
	text     []byte
	flamingo flamingo.Config
	clip     clip.Config
	lm       lm.Config
}

func (c *Config) parse(ctx context.Context) (*shapes, error) {
	if c.Kind == KindProbe {
		return &shapes{}, nil
	}
	text, err := c.shape(ctx)
	if err != nil {
		return nil, err
	}
	s := &shapes{text: text}
	switch c.Kind {
	case KindFlamingo:
		s.flamingo, err = flamingo.ParseConfig(text)
	case KindCLIP:
		s.clip, err = clip.ParseConfig(text)
	case KindLM:
		s.lm, err = lm.ParseConfig(text)
	}
	if err != nil {
		return nil, wrong("model: %w", err)
	}
	return s, nil
}

// fit puts the tokenizer's ids into a Flamingo's shape, or refuses ids that are not the same: a tokenizer of another model.
func fit(c *flamingo.Config, media, eoc, pad, size int) error {
	for _, id := range []struct {
		name string
		own  *int
		has  int
	}{{"media_token_id", &c.Media, media}, {"eoc_token_id", &c.EOC, eoc}, {"pad_token_id", &c.Pad, pad}} {
		if *id.own < 0 {
			*id.own = id.has
		}
		if *id.own != id.has {
			return wrong("model.%s is %d, the tokenizer has %d: tokenizer and model do not belong together", id.name, *id.own, id.has)
		}
	}
	if size > c.LM.Vocab {
		return wrong("the tokenizer has %d ids, the language model %d: set model.lm.vocab_size to %d, or use its own tokenizer", size, c.LM.Vocab, size)
	}
	return nil
}

func describe(err error, what string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

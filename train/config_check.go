package train

// What a config may say.

import (
	"fmt"
	"slices"
	"strings"
)

func oneOf(key, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return fmt.Errorf("%s is %q; it must be one of %s", key, value, strings.Join(allowed, ", "))
}

// formats are the forms of data that a kind can be taught from.
var formats = map[string][]string{
	KindFlamingo: {"docs", "pairs", "jsonl", "webdataset", "drawings"},
	KindCLIP:     {"docs", "pairs", "jsonl", "webdataset", "drawings"},
	KindLM:       {"text"},
	KindProbe:    {"features"},
}

func (c *Config) check() error {
	if err := oneOf("kind", c.Kind, KindFlamingo, KindCLIP, KindLM, KindProbe); err != nil {
		return err
	}
	if err := oneOf("precision", c.Precision, "fp32", "bf16"); err != nil {
		return err
	}
	if err := c.Optimizer.check(); err != nil {
		return err
	}
	if err := c.Schedule.check(); err != nil {
		return err
	}
	if err := c.Visual.check(c); err != nil {
		return err
	}
	if c.Contrast != nil && c.Kind != KindCLIP {
		return fmt.Errorf("contrast is for kind clip; the kind is %s", c.Kind)
	}
	if err := c.Contrast.check(); err != nil {
		return err
	}
	if err := oneOf("frozen", c.Frozen, "", "bf16", "int8"); err != nil {
		return err
	}
	switch l := c.LoRA; {
	case c.Frozen != "" && c.Kind != KindFlamingo && (c.Kind != KindLM || l == nil):
		return fmt.Errorf("frozen is %q, but a %s without adapters trains all of it", c.Frozen, c.Kind)
	case l == nil:
	case c.Kind != KindFlamingo && c.Kind != KindLM:
		return fmt.Errorf("lora: adapters are for language models; the kind is %s", c.Kind)
	case l.Rank < 1 || !(l.Alpha > 0) || len(l.Targets) == 0:
		return fmt.Errorf("lora: r is %d, lora_alpha %v, target_modules %v; all three are needed, such as r: 8, lora_alpha: 16, target_modules: [q_proj, v_proj]", l.Rank, l.Alpha, l.Targets)
	}
	switch {
	case c.Steps < 1 || c.Accumulate < 1:
		return fmt.Errorf("steps is %d and accumulate %d; both must be at least 1", c.Steps, c.Accumulate)
	case c.Model == nil && c.Kind != KindProbe:
		return fmt.Errorf("model is missing")
	case c.Save.Every < 0 || c.Save.Keep < 1:
		return fmt.Errorf("save.every is %d and save.keep %d; every must be at least 0 (only at the end), keep at least 1", c.Save.Every, c.Save.Keep)
	case c.Data.Window < 1 || c.Data.Workers < 1 || c.Data.Prefetch < 1:
		return fmt.Errorf("data.window is %d, data.workers %d, data.prefetch %d; all must be at least 1", c.Data.Window, c.Data.Workers, c.Data.Prefetch)
	case c.Validation.Every > 0 && (len(c.Validation.Streams) == 0 || c.Validation.Batches < 1):
		return fmt.Errorf("validation.every asks for validation.streams and at least one of validation.batches")
	case len(c.Streams) == 0:
		return fmt.Errorf("streams: at least one is needed")
	}
	for i, list := range [][]StreamConfig{c.Streams, c.Validation.Streams} {
		names := map[string]bool{}
		for k, s := range list {
			key := fmt.Sprintf("%s.%d", []string{"streams", "validation.streams"}[i], k)
			if names[s.Name] {
				return fmt.Errorf("%s: two streams are called %q", key, s.Name)
			}
			names[s.Name] = true
			if err := c.checkStream(key, s); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Config) checkStream(key string, s StreamConfig) error {
	if err := oneOf(key+".format", s.Format, formats[c.Kind]...); err != nil {
		return err
	}
	if c.Kind == KindFlamingo {
		if err := oneOf(key+".sequences", s.Sequences, "interleaved", "pairs"); err != nil {
			return err
		}
	}
	if err := oneOf(key+".assignment", s.Assignment, "", "argmax", "one_to_one", "stored"); err != nil {
		return err
	}
	switch {
	case len(s.Paths) == 0:
		return fmt.Errorf("%s.paths is empty", key)
	case (s.Format == "drawings" || s.Format == "features") && len(s.Paths) != 1:
		return fmt.Errorf("%s.paths: %s are one path, not %d", key, s.Format, len(s.Paths))
	case !(s.Weight > 0) || s.Batch < 1 || s.MaxTokens < 2:
		return fmt.Errorf("%s: weight is %v, batch %d, max_tokens %d; weight must be above 0, batch at least 1, max_tokens at least 2", key, s.Weight, s.Batch, s.MaxTokens)
	case s.MinImages < 1 || s.MaxImages < s.MinImages:
		return fmt.Errorf("%s: min_images is %d, max_images %d", key, s.MinImages, s.MaxImages)
	case (s.Format == "drawings" || s.Format == "pairs") && s.Sequences == "interleaved":
		return fmt.Errorf("%s: %s have captions, not documents: say sequences: pairs", key, s.Format)
	case c.Kind == KindCLIP && s.Batch < 2:
		return fmt.Errorf("%s.batch is %d: a contrast needs at least 2 pairs", key, s.Batch)
	}
	return nil
}

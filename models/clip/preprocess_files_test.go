package clip

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mmc4/internal/imaging"
)

// What the files of a model say about pixels is done, or refused by name.
func TestReadPreprocess(t *testing.T) {
	for _, c := range []struct {
		name, text string
		filter     imaging.Filter
		mean       float32
		says       string
	}{
		{"preprocessor_config.json", `{"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "resample": 2}`, imaging.Bilinear, 0.5, ""},
		{"preprocessor_config.json", `{"resample": 3}`, imaging.Bicubic, 0.48145466, ""},
		{"preprocessor_config.json", `{"resample": 1}`, 0, 0, "resample 1"},
		{"open_clip_config.json", `{"preprocess_cfg": {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "interpolation": "bilinear"}}`, imaging.Bilinear, 0.5, ""},
		{"open_clip_config.json", `{"preprocess_cfg": {"interpolation": "random"}}`, 0, 0, "interpolation"},
		{"open_clip_config.json", `{"preprocess_cfg": {"resize_mode": "squash"}}`, 0, 0, "resize_mode"},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, c.name), []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		m := &Model{Preprocess: OpenAIPreprocess(224)}
		err := m.readPreprocess(dir)
		if c.says != "" {
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v, want %q", c.text, err, c.says)
			}
			continue
		}
		if err != nil || m.Preprocess.Filter != c.filter || m.Preprocess.Mean[0] != c.mean {
			t.Errorf("%s: %+v %v", c.text, m.Preprocess, err)
		}
	}
}

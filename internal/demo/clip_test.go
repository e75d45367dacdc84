package demo

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"testing"

	"mmc4/models/tokenizer"
)

func TestCLIPFilesFitTogether(t *testing.T) {
	size := 0
	for _, name := range []string{"open_clip_config.json", "model.safetensors", "bpe_simple_vocab_16e6.txt"} {
		info, err := fs.Stat(CLIP(), name)
		if err != nil {
			t.Fatal(err)
		}
		size += int(info.Size())
	}
	if size > 6<<20 {
		t.Errorf("the embedded model has %d bytes, more than 6 MiB", size)
	}
	var config struct {
		Model struct {
			Text struct {
				Vocabulary int `json:"vocab_size"`
				Context    int `json:"context_length"`
			} `json:"text_cfg"`
		} `json:"model_cfg"`
	}
	data, err := fs.ReadFile(CLIP(), "open_clip_config.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &config); err != nil {
		t.Fatal(err)
	}
	merges, err := fs.ReadFile(CLIP(), "bpe_simple_vocab_16e6.txt")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.HasSuffix(merges, []byte("\n")) {
		t.Error("open_clip would read an empty merge at the end of the table")
	}
	words, err := tokenizer.NewCLIP(merges)
	if err != nil {
		t.Fatal(err)
	}
	if words.Size() != config.Model.Text.Vocabulary {
		t.Errorf("the table makes %d tokens, the config says %d", words.Size(), config.Model.Text.Vocabulary)
	}
	longest := 0
	for _, p := range newWeb(1, 300).pages {
		for _, s := range p.text {
			longest = max(longest, len(words.Encode(s)))
		}
	}
	if longest > config.Model.Text.Context {
		t.Errorf("a sentence has %d tokens, the model takes %d", longest, config.Model.Text.Context)
	}
	t.Logf("longest sentence: %d tokens", longest)
}

package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"mmc4/eval/mini"
)

// With --json every verb writes JSON objects to stdout, one a line, with keys in small letters, and nothing else.
func TestJSON(t *testing.T) {
	dir := evaluation(t, mini.Tests, "shots: [2]", "coco", "hatefulmemes")
	models := filepath.Join(dir, "gpt2")
	for name, data := range languageModel(t) {
		write(t, dir, filepath.Join("gpt2", name), string(data))
	}
	write(t, dir, "refs.jsonl", `{"image_id": 1, "captions": ["a red circle"]}`+"\n"+`{"image_id": 2, "captions": ["a dog"]}`)
	write(t, dir, "answers.jsonl", `{"image_id": 1, "caption": "a circle"}`)
	write(t, dir, "captions.txt", "a red circle\n")
	write(t, dir, "lm.yaml", fmt.Sprintf("kind: lm\nsteps: 2\nmodel: {model_type: gpt2, vocab_size: 260, n_embd: 16, n_layer: 1, n_head: 2, n_positions: 32}\n"+
		"tokenizer: {path: %q, eos: \"<|endoftext|>\"}\nstreams: [{name: prose, format: text, paths: [%q], batch: 1, max_tokens: 8}]\n", models, filepath.Join(dir, "prose.txt")))
	write(t, dir, "prose.txt", strings.Repeat("the red circle is on a white ground. ", 50))
	at := func(name string) string { return filepath.Join(dir, name) }
	run := at("demo/run")
	for _, c := range []struct {
		args []string
		code int
	}{
		{[]string{"version"}, exitDone},
		{[]string{"doctor"}, exitDone},
		{[]string{"bench", "--list"}, exitDone},
		{[]string{"golden", "--kinds", "urls,auc", filepath.Join("..", "..", "testdata", "golden")}, exitDone},
		{[]string{"demo", "--out", at("demo"), "--pages", "24", "--device", "cpu"}, exitDone},
		{[]string{"verify", run}, exitDone},
		{[]string{"explain", run}, exitDone},
		{[]string{"report", run}, exitDone},
		{[]string{"embed", "--clip", "demo", "--text", "--device", "cpu", "--out", at("c.npy"), at("captions.txt")}, exitDone},
		{[]string{"generate", "--model", models, "--device", "cpu", "--max-new", "4", "hello"}, exitDone},
		{[]string{"train", at("lm.yaml"), "--dry-run"}, exitDone},
		{[]string{"train", at("lm.yaml"), "--out", at("trained"), "--device", "cpu"}, exitDone},
		{[]string{"eval", at("eval.yaml")}, exitDone},
		{[]string{"eval", "score", "--metric", "rouge", "--per-example", at("answers.jsonl"), at("refs.jsonl")}, exitPartial},
	} {
		name := strings.Join(c.args[:min(2, len(c.args))], " ")
		code, stdout, stderr := mmc4(t, append(c.args, "--json")...)
		if code != c.code {
			t.Errorf("%s: exit code %d, want %d: %s", name, code, c.code, stderr)
		}
		if stdout == "" {
			t.Errorf("%s: nothing on stdout", name)
		}
		for line := range strings.Lines(stdout) {
			var object map[string]any
			if err := json.Unmarshal([]byte(line), &object); err != nil {
				t.Errorf("%s: %v: %s", name, err, line)
				break
			}
			if bad := badKey(object); bad != "" {
				t.Errorf("%s: the key %q is not in small letters: %.200s", name, bad, line)
				break
			}
		}
	}
}

var smallLetters = regexp.MustCompile(`^[a-z0-9][a-z0-9_.:/-]*$`)

// badKey is a key that is not written in small letters, anywhere in a value; "" when all are.
func badKey(v any) string {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if !smallLetters.MatchString(key) {
				return key
			}
			if key == "scores" { // by metric, as the official programs call them
				continue
			}
			if bad := badKey(value); bad != "" {
				return bad
			}
		}
	case []any:
		for _, value := range v {
			if bad := badKey(value); bad != "" {
				return bad
			}
		}
	}
	return ""
}

package main

// What is wrong with an evaluation's input is named and counted, and never scored as zero.

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mmc4/eval/mini"
	"mmc4/models/weights"
)

// edit changes a file below a folder.
func edit(t *testing.T, dir, name, from, to string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	data, err := os.ReadFile(path)
	if err != nil || !bytes.Contains(data, []byte(from)) {
		t.Fatalf("%s has no %q: %v", name, from, err)
	}
	if err := os.WriteFile(path, bytes.ReplaceAll(data, []byte(from), []byte(to)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// without writes the model's weights again, leaving out what begins with a prefix.
func without(t *testing.T, dir, prefix string) {
	t.Helper()
	path := filepath.Join(dir, "model", "flamingo.safetensors")
	file, err := weights.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var kept []weights.Tensor
	for _, name := range file.Names() {
		if !strings.HasPrefix(name, prefix) {
			one, err := file.Tensor(name)
			if err != nil {
				t.Fatal(err)
			}
			kept = append(kept, one)
		}
	}
	var b bytes.Buffer
	if err := weights.Write(&b, kept, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil { // the file is mapped: another takes its name
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestEvalBadInput(t *testing.T) {
	const test = "val2014/COCO_val2014_000000000013.jpg" // the first of COCO's tests
	remove := func(name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
				t.Fatal(err)
			}
		}
	}
	change := func(name, from, to string) func(*testing.T, string) {
		return func(t *testing.T, dir string) { edit(t, dir, name, from, to) }
	}
	for name, c := range map[string]struct {
		task, more string
		spoil      func(t *testing.T, dir string)
		code       int
		says       []string
	}{
		"a missing picture":            {"coco", "shots: [0]", remove("data/coco/" + test), exitPartial, []string{"1 of 6", "13", test, "no such picture"}},
		"a broken picture":             {"coco", "shots: [0]", func(t *testing.T, dir string) { write(t, dir, "data/coco/"+test, "no picture") }, exitPartial, []string{"1 of 6", test}},
		"a demonstration's picture":    {"coco", "shots: [4]\ndemonstrations: fixed", remove("data/coco/train2014/COCO_train2014_000000000003.jpg"), exitPartial, []string{"6 of 6", "train2014", "no such picture"}},
		"no data folder":               {"coco", "shots: [0]", func(t *testing.T, dir string) { edit(t, dir, "eval.yaml", "data/coco", "data/none") }, exitUsage, []string{"dataset_coco.json", "data/none"}},
		"wrong JSON":                   {"coco", "shots: [0]", change("data/coco/dataset_coco.json", `"split":"test"`, `"split":test`), exitFailed, []string{"dataset_coco.json", "line 1"}},
		"a question without an answer": {"vqav2", "shots: [0]", change("data/vqav2/v2_mscoco_val2014_annotations.json", `"question_id":13001`, `"question_id":99`), exitFailed, []string{"1 questions", "13001"}},
		"a question twice":             {"vqav2", "shots: [0]", change("data/vqav2/v2_OpenEnded_mscoco_val2014_questions.json", `"question_id":14001`, `"question_id":13001`), exitFailed, []string{"13001", "twice"}},
		"classes and folders":          {"imagenet", "shots: [0]", change("data/imagenet/classnames.txt", "red thing\n", "red thing\nold thing\n"), exitFailed, []string{"3 folders", "4 classes"}},
		"too many shots":               {"coco", "shots: [13]", func(*testing.T, string) {}, exitUsage, []string{"13 shots", "fewer training examples", "12"}},
		"a typo in the config":         {"coco", "shotz: [0]", func(*testing.T, string) {}, exitUsage, []string{"shotz", "shots"}},
		"a task that does not exist":   {"cocoa", "shots: [0]", func(*testing.T, string) {}, exitUsage, []string{"cocoa", "coco, flickr30k"}},
		"a device that does not exist": {"coco", "shots: [0]", change("eval.yaml", "device: cpu", "device: nope"), exitUsage, []string{"nope", "cpu"}},
		"no model":                     {"coco", "shots: [0]", change("eval.yaml", "model: model", "model: modle"), exitUsage, []string{"modle"}},
		"no language model":            {"coco", "shots: [0]", func(t *testing.T, dir string) { without(t, dir, "w.lang_encoder.gpt_neox.layers.0.decoder_layer") }, exitUsage, []string{"model", "decoder_layer"}},
		"no vision tower":              {"coco", "shots: [0]", func(t *testing.T, dir string) { without(t, dir, "w.vision_encoder") }, exitUsage, []string{"vision"}},
		"another tokenizer":            {"coco", "shots: [0]", change("model/tokenizer.json", `"Ġ":93`, `"Ġ":93,"!?":94`), exitUsage, []string{"do not belong together"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := evaluation(t, mini.Tests, c.more, c.task)
			c.spoil(t, dir)
			code, stdout, stderr := mmc4(t, "eval", filepath.Join(dir, "eval.yaml"), "--json")
			if code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			for _, words := range c.says {
				if !strings.Contains(stderr, words) {
					t.Errorf("it does not say %q: %s", words, stderr)
				}
			}
			if code != exitPartial && stdout != "" {
				t.Errorf("there is a score all the same: %s", stdout)
			}
		})
	}
}

// A task file of one's own with a typo.
func TestEvalTaskTypo(t *testing.T) {
	dir := evaluation(t, mini.Tests, "shots: [0]", "coco")
	edit(t, dir, "eval.yaml", "task: coco", "task: birds.yaml")
	write(t, dir, "birds.yaml", "name: birds\nkind: caption\nmetrik: cider\n")
	code, _, stderr := mmc4(t, "eval", filepath.Join(dir, "eval.yaml"))
	if code != exitUsage || !strings.Contains(stderr, "birds.yaml") || !strings.Contains(stderr, "metrik") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

// Another model under the same name does not go on with the predictions of the first.
func TestEvalAnotherModel(t *testing.T) {
	dir := evaluation(t, mini.Tests, "shots: [0]", "coco")
	run := func() (int, string) {
		code, _, stderr := mmc4(t, "eval", filepath.Join(dir, "eval.yaml"))
		return code, stderr
	}
	if code, words := run(); code != exitDone {
		t.Fatal(words)
	}
	if code, words := run(); code != exitDone {
		t.Errorf("a second time: %s", words)
	}
	path := filepath.Join(dir, "model", "flamingo.safetensors")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-2] ^= 1
	write(t, dir, "model/flamingo.safetensors", string(data))
	if code, words := run(); code != exitRefused || !strings.Contains(words, "another config, model, task file or data") {
		t.Errorf("exit code %d: %s", code, words)
	}
}

// Files of predictions that are wrong in every way at once: what can be scored is, the rest is named and counted.
func TestEvalScoreBadInput(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "refs.jsonl", `{"image_id": 1, "captions": ["a red circle"]}
{"image_id": 2, "captions": ["a blue square"]}
{"image_id": 3, "captions": ["a green circle"]}
{"image_id": 4, "captions": ["a dog"]}
{"image_id": 5, "captions": ["a cat"]}
`)
	write(t, dir, "answers.jsonl", `{"image_id": 1, "caption": "a red circle"}
{"image_id": 2, "caption": "a blue square"}
{"image_id": 2, "caption": "a blue square"}
{"image_id": 3, "caption": "one"}
{"image_id": 3, "caption": "another"}
{"image_id": 5, "caption": ""}
{"image_id": 99, "caption": "unknown"}
{"caption": "whose?"}
`)
	write(t, dir, "broken.json", `[{"image_id": 1, "caption": "a"},`)
	refs := filepath.Join(dir, "refs.jsonl")
	code, stdout, stderr := mmc4(t, "eval", "score", "--json", "--metric", "rouge", filepath.Join(dir, "answers.jsonl"), refs)
	if code != exitPartial {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	for _, words := range []string{"99", "4", "3", "1 empty"} {
		if !strings.Contains(stderr, words) {
			t.Errorf("it does not say %q: %s", words, stderr)
		}
	}
	if !strings.Contains(stdout, `"examples":3`) { // 1, 2 and the empty one; 3 contradicts itself, 4 is not there
		t.Errorf("scored otherwise: %s", stdout)
	}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--metric", "rouge", filepath.Join(dir, "broken.json"), refs}, exitFailed, "broken.json"},
		{[]string{"--metric", "meteor", filepath.Join(dir, "answers.jsonl"), refs}, exitUsage, "meteor"},
		{[]string{"--metric", "clip", filepath.Join(dir, "answers.jsonl"), refs}, exitUsage, "--clip"},
	} {
		code, _, stderr := mmc4(t, append([]string{"eval", "score"}, c.args...)...)
		if code != c.code || !strings.Contains(stderr, c.says) {
			t.Errorf("%v: exit code %d, want %d: %s", c.args, code, c.code, stderr)
		}
	}
}

package task

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mmc4/eval/mini"
	"mmc4/eval/pictures"
)

func folder(t *testing.T, dir string) pictures.Place {
	t.Helper()
	var places pictures.Places
	place, err := places.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return place
}

// Prompts of the eight tasks, byte for byte as open_flamingo 2.0 writes them.
func TestPrompts(t *testing.T) {
	root := t.TempDir()
	if err := mini.Write(root); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"coco":         "<image>Output:A red circle on a white ground.<|endofchunk|>\n<image>Output:A green circle on a white ground.<|endofchunk|>\n<image>Output:",
		"flickr30k":    "<image>Output:A red circle on a white ground.<|endofchunk|>\n<image>Output:A green circle on a white ground.<|endofchunk|>\n<image>Output:",
		"vqav2":        "<image>Question:What colour is the circle? Short answer:red<|endofchunk|>\n<image>Question:What shape is it? Short answer:circle<|endofchunk|>\n<image>Question:What colour is the circle? Short answer:",
		"okvqa":        "<image>Question:What colour is the circle? Short answer:red<|endofchunk|>\n<image>Question:What shape is it? Short answer:circle<|endofchunk|>\n<image>Question:What colour is the circle? Short answer:",
		"textvqa":      "<image>Question:What colour is the circle? Short answer:red<|endofchunk|>\n<image>Question:What shape is it? Short answer:circle<|endofchunk|>\n<image>Question:What colour is the circle? Short answer:",
		"vizwiz":       "<image>Question:What colour is the circle? Short answer:red<|endofchunk|>\n<image>Question:What shape is it? Short answer:circle<|endofchunk|>\n<image>Question:What colour is the circle? Short answer:",
		"hatefulmemes": "<image>is an image with: 'look at this circle' written on it. Is it hateful? Answer:yes<|endofchunk|><image>is an image with: 'look at this circle' written on it. Is it hateful? Answer:no<|endofchunk|><image>is an image with: 'look at this circle' written on it. Is it hateful? Answer:",
		"imagenet":     "<image>Output:red thing<|endofchunk|><image>Output:red thing<|endofchunk|><image>Output:",
	} {
		one, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		data, err := one.Read(t.Context(), filepath.Join(root, name), folder(t, filepath.Join(root, name)))
		if err != nil {
			t.Fatal(err)
		}
		if len(data.Train) != mini.Training || len(data.Test) != mini.Tests {
			t.Errorf("%s: %d and %d examples", name, len(data.Train), len(data.Test))
		}
		got, err := one.Prompt.Write([]*Sample{&data.Train[0], &data.Train[1]}, &data.Test[0], true)
		if err != nil || got != want {
			t.Errorf("%s:\n got %q\nwant %q (%v)", name, got, want, err)
		}
		without, _ := one.Prompt.Write([]*Sample{&data.Train[0], &data.Train[1]}, &data.Test[0], false)
		if n := strings.Count(without, "<image>"); n != 1 || !strings.HasPrefix(without, want[len("<image>"):20]) {
			t.Errorf("%s without pictures: %q", name, without)
		}
		for _, s := range append(data.Train, data.Test...) {
			if _, err := os.Stat(filepath.Join(root, name, s.Image)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if !s.Labelled() {
				t.Errorf("%s: example %s has nothing to score against", name, s.ID)
			}
		}
	}
}

func TestV1Wording(t *testing.T) {
	one, err := Load("vqav2")
	if err != nil {
		t.Fatal(err)
	}
	p, err := one.Wording("v1")
	if err != nil || !strings.Contains(p.Query, "Short Answer:") {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := one.Wording("v9"); err == nil {
		t.Error("a wording that does not exist was given")
	}
}

const own = `name: birds
kind: caption
metric: rouge
format: lines
train: {annotations: train.jsonl, images: "pictures/{file}"}
test: {annotations: test.jsonl, images: "pictures/{file}"}
prompt: {demonstration: "<image>{place}: {caption}\n", query: "<image>{place}:"}
postprocess: [strip]
decoding: {max_new_tokens: 4}
`

// A task of one's own is a YAML file and JSON lines.
func TestOwnTask(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"train.jsonl": `{"id": 1, "file": "a.jpg", "place": "hill", "references": [" a lark "]}`,
		"test.jsonl":  `{"id": 2, "file": "b.jpg", "place": "lake", "captions": ["two ducks", "ducks"]}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	one, err := Parse("birds.yaml", []byte(own))
	if err != nil {
		t.Fatal(err)
	}
	data, err := one.Read(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := one.Prompt.Write([]*Sample{&data.Train[0]}, &data.Test[0], true)
	if err != nil || got != "<image>hill: a lark\n<image>lake:" || data.Test[0].Image != "pictures/b.jpg" {
		t.Errorf("%q, %v, %+v", got, err, data.Test[0])
	}
}

func TestTaskErrors(t *testing.T) {
	for from, c := range map[string]struct{ to, want string }{
		"metric: rouge":         {"metrik: rouge", "metrik"},
		"kind: caption":         {"kind: captoin", "captoin"},
		"metric: rouge\n":       {"metric: meteor\n", "meteor"},
		"format: lines":         {"format: xml", "xml"},
		"[strip]":               {"[strips]", "strips"},
		"{place}:\"":            {"{place:\"", "a field is written"},
		"max_new_tokens: 4":     {"max_new_tokens: 0", "max_new_tokens"},
		"max_new_tokens: 4}":    {"max_new_token: 4}", "max_new_token"},
		"name: birds":           {"title: birds", "name"},
		"decoding: {max_new_to": {"submission: kaggle\ndecoding: {max_new_to", "kaggle"},
	} {
		_, err := Parse("birds.yaml", []byte(strings.Replace(own, from, c.to, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "birds.yaml") {
			t.Errorf("%s: %v, want the file and %q", c.to, err, c.want)
		}
	}
	if _, err := Parse("birds.yaml", []byte(strings.Replace(own, "metric: rouge", "metric: auc", 1))); err == nil || !strings.Contains(err.Error(), "kind must be class") {
		t.Errorf("%v", err)
	}
	if _, err := Load("no such task"); err == nil || !strings.Contains(err.Error(), "coco") {
		t.Errorf("%v", err)
	}
}

func FuzzTask(f *testing.F) {
	f.Add([]byte(own))
	f.Add([]byte("name: [x"))
	f.Fuzz(func(t *testing.T, data []byte) { _, _ = Parse("f", data) })
}

func FuzzTemplate(f *testing.F) {
	for _, s := range []string{"{a}", "{a:012}", "{", "}", "{:0}", "{{a}}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if p, err := parseTemplate(s); err == nil {
			_, _ = p.fill(map[string]string{"a": "1"})
		}
	})
}

// A picture has the same class in ImageNet's folders and in its tars as they are downloaded.
func TestOfficialImageNet(t *testing.T) {
	classes := func(root string, train, test Split) map[string]string {
		t.Helper()
		one, err := Load("imagenet")
		if err != nil {
			t.Fatal(err)
		}
		one.Train, one.Test = train, test
		place := folder(t, root)
		data, err := one.Read(t.Context(), root, place)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]string{}
		for _, s := range append(data.Train, data.Test...) {
			picture, err := place.Read(t.Context(), s.Image)
			if err != nil {
				t.Fatal(err)
			}
			out[fmt.Sprintf("%x", sha256.Sum256(picture))] = s.Fields["folder"] + " " + s.Fields["class"] + " " + s.Reference.Label
		}
		return out
	}
	root, official := t.TempDir(), t.TempDir()
	if err := errors.Join(mini.Write(root), mini.WriteImageNet(official)); err != nil {
		t.Fatal(err)
	}
	want := classes(filepath.Join(root, "imagenet"), Split{Images: "train"}, Split{Images: "val"})
	got := classes(official, Split{Images: "ILSVRC2012_img_train.tar"},
		Split{Images: "ILSVRC2012_img_val.tar", Annotations: "ILSVRC2012_validation_ground_truth.txt", Synsets: "map_clsloc.txt"})
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// What a metric needs and the data do not have is said when the data are read.
func TestMetricWithoutItsReferences(t *testing.T) {
	root := t.TempDir()
	for name, line := range map[string]string{"train.jsonl": `{"id": 1, "file": "a", "place": "hill", "references": ["a lark"]}`,
		"test.jsonl": `{"id": 7, "file": "a", "place": "hill", "references": ["a lark"]}`} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(line+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for metric, want := range map[string]string{"rouge": "", "vqa": "id 7 has no answers, which metric vqa needs", "top1": "id 7 has no label"} {
		one, err := Parse("birds.yaml", []byte(strings.Replace(own, "metric: rouge", "metric: "+metric, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err = one.Read(t.Context(), root, folder(t, root)); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", metric, err, want)
		}
	}
}

// What is wrong with the lists of ImageNet's flat validation set is named.
func TestFlatImageNetErrors(t *testing.T) {
	const truth, synsets = "ILSVRC2012_validation_ground_truth.txt", "map_clsloc.txt"
	for want, change := range map[string][2]string{
		"":                              {synsets, "n00000001\nn00000002 kit fox\nn00000000\nn00000009 inner node\n"},
		" ":                             {truth, strings.Repeat("n00000000\nn00000001\nn00000002\n", 2)},
		"line 6: \"cat\" is neither":    {truth, "1\n2\n3\n1\n2\ncat\n"},
		"there is no synset 4":          {truth, "1\n2\n3\n1\n2\n4\n"},
		"has 6 pictures":                {truth, "1\n2\n3\n"},
		"is none of the 3 classes":      {truth, "1\n2\n3\n1\n2\nn00000007\n"},
		"line 2: \"2\" is no WNID":      {synsets, "n00000001\n2\n"},
		"has no synset 3 of 3":          {synsets, "n00000001 1\nn00000002 2\n"},
		"number 2 is n00000001 already": {synsets, "n00000001 2\nn00000002 2\nn00000000 3\n"},
		"n00000001 is there twice":      {synsets, "n00000001\nn00000001\nn00000000\n"},
		"no such file":                  {synsets, ""},
	} {
		root := t.TempDir()
		if err := mini.WriteImageNet(root); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(root, change[0])
		if err := os.WriteFile(path, []byte(change[1]), 0o644); change[1] == "" {
			err = os.Remove(path)
			if err != nil {
				t.Fatal(err)
			}
		} else if err != nil {
			t.Fatal(err)
		}
		one, err := Load("imagenet")
		if err != nil {
			t.Fatal(err)
		}
		one.Train = Split{Images: "ILSVRC2012_img_train.tar"}
		one.Test = Split{Images: "ILSVRC2012_img_val.tar", Annotations: truth, Synsets: synsets}
		data, err := one.Read(t.Context(), root, folder(t, root))
		if strings.TrimSpace(want) == "" {
			if err != nil || len(data.Test) != mini.Tests {
				t.Errorf("%q: %v", want, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

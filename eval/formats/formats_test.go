package formats

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t testing.TB, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.json")
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPredictions(t *testing.T) {
	for _, c := range []struct{ content, ids, bad string }{
		{`[{"image_id": 1, "caption": "a"}, {"image_id": "x", "caption": ""}]`, "1 x", ""},
		{"{\"question_id\": 7, \"answer\": \"b\"}\n\n{\"id\": \"8\", \"prediction\": \"c\"}\n", "7 8", ""},
		{`[{"caption": "a"}]`, "", "record 0 has none of question_id"},
		{`[{"id": 3}]`, "3", "none of caption"},
		{`[{"id": 3, "label": 1, "proba": 0.25}]`, "3", ""},
		{`[]`, "", ""},
	} {
		got, err := ReadPredictions(write(t, c.content))
		if err != nil {
			t.Errorf("%s: %v", c.content, err)
			continue
		}
		var ids, bad []string
		for _, p := range got {
			if p.ID != "" {
				ids = append(ids, string(p.ID))
			}
			bad = append(bad, p.Bad)
		}
		if strings.Join(ids, " ") != c.ids || !strings.Contains(strings.Join(bad, ""), c.bad) || c.bad == "" && strings.Join(bad, "") != "" {
			t.Errorf("%s: ids %q, bad %q", c.content, ids, bad)
		}
	}
}

func TestWrongJSON(t *testing.T) {
	for content, want := range map[string]string{
		"":                              "empty",
		"[{\"id\": 1,\n \"answer\": }]": "line 2",
		`[{"id": 1`:                     "byte 9): the text ends inside a value",
		`[{"id": true, "answer": ""}]`:  "number or a string",
		`[{"id": 1, "answer": 5}]`:      "line 1",
		`[{}] x`:                        "follows the value",
		`}`:                             "expected an object, found '}'",
		`[{"id": 1, "score": "high"}]`:  `the string "high"`,
	} {
		_, err := ReadPredictions(write(t, content))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "file.json") {
			t.Errorf("%q: error %v, want it to name the file and %q", content, err, want)
		}
	}
	if _, err := ReadPredictions(filepath.Join(t.TempDir(), "absent")); err == nil {
		t.Error("an absent file was read")
	}
}

func TestReferences(t *testing.T) {
	for name, content := range map[string]string{
		"COCO":     `{"info": {}, "images": [{"id": 5}], "annotations": [{"image_id": 5, "id": 1, "caption": "a"}, {"image_id": 6, "caption": "c"}, {"image_id": 5, "caption": "b"}]}`,
		"Karpathy": `{"images": [{"cocoid": 5, "filename": "x.jpg", "split": "test", "sentences": [{"raw": "a"}, {"raw": "b"}]}, {"cocoid": 6, "filename": "y.jpg", "split": "test", "sentences": [{"raw": "c"}]}, {"cocoid": 9, "filename": "z.jpg", "split": "train", "sentences": [{"raw": "no"}]}]}`,
		"lines":    "{\"id\": 5, \"references\": [\"a\", \"b\"]}\n{\"id\": 6, \"captions\": [\"c\"]}",
		"array":    `[{"image_id": 5, "captions": ["a", "b"]}, {"image_id": 6, "references": ["c"]}]`,
	} {
		got, err := ReadReferences(write(t, content))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(got) != 2 || got[0].ID != "5" || strings.Join(got[0].Captions, "") != "ab" || got[1].ID != "6" || strings.Join(got[1].Captions, "") != "c" {
			t.Errorf("%s: %+v", name, got)
		}
	}
	got, err := ReadReferences(write(t, `{"annotations": [{"question_id": 1, "answer_type": "number", "answers": [{"answer": "2", "answer_confidence": "yes", "answer_id": 1}, {"answer": "2", "answer_confidence": "yes", "answer_id": 2}]}]}`))
	if err != nil || len(got) != 1 || len(got[0].Answers) != 2 || got[0].AnswerType != "number" || got[0].Answers[0] == got[0].Answers[1] {
		t.Errorf("VQA: %+v, %v", got, err)
	}
	for content, want := range map[string]string{
		`{"annotations": [{"question_id": 1}, {"question_id": 1}]}`: "second time",
		`{"annotations": [{"caption": "a"}]}`:                       "neither",
		`{"annotations": {}}`:                                       "not a list",
		`[{"id": 1}, {"id": 1}]`:                                    "second time",
		`[{"references": []}]`:                                      "none of id",
		`{"annotations": [`:                                         "line 1",
	} {
		if _, err := ReadReferences(write(t, content)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", content, err, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{`[{"id":1,"answer":"a"}]`, `{"annotations":[{"question_id":1,"answers":["a"]}]}`, "{\"id\":1}\n{\"id\":2}", `{"images":[{"split":"test"}]}`, `{"questions":[{}]}`, `{"a\"`, "[,]", "{}", `"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, content string) {
		path := write(t, content)
		_, _ = ReadPredictions(path)
		_, _ = ReadReferences(path)
		_, _ = ReadKarpathy(path)
		_, _ = ReadQuestions(path)
		_, _ = ReadMemes(path)
	})
}

// TestPunctuation: a missing colon or comma is an error with its place, not something to read around.
func TestPunctuation(t *testing.T) {
	for _, text := range []string{
		`{"images" [{"id": 1}], "annotations": [{"image_id": 1, "caption": "a cat"}]}`,
		`{"annotations": [{"image_id": 1, "caption": "a cat"},, {"image_id": 2, "caption": "a cat"}]}`,
		`{"annotations": [{"image_id": 1, "caption": "a cat"}] "info": {}}`,
		`{"annotations": [{"question_id": 1, "answers": [{"answer" "yes"}]}]}`,
		`{"images": [{"cocoid" 1, "sentences": [{"raw": "a cat"}], "split": "test"}]}`,
		`[{"id": 1, "references": ["a cat"]} {"id": 2, "references": ["a cat"]}]`,
	} {
		if _, err := ReadReferences(write(t, text)); err == nil || !strings.Contains(err.Error(), "line 1 (byte ") {
			t.Errorf("references %s: %v", text, err)
		}
	}
	if _, err := ReadPredictions(write(t, `[{"image_id": 1, "caption": "a cat"} {"image_id": 2, "caption": "a cat"}]`)); err == nil || !strings.Contains(err.Error(), "line 1 (byte ") {
		t.Error("predictions:", err)
	}
}

package formats

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"mmc4/eval/metric/vqa"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var seeds = []string{
	`[{"image_id": 1, "caption": "a"}, {"image_id": "x", "caption": "b\u00e9\n"}]`, `[{"question_id":7,"answer":"b","id":8}]`, `[]`, `[{}]`, ` [ {"id" : 1 , "x" : [1,{"y":"\""}]} ] `,
	`[{"id": 3, "label": "1", "proba": 0.25, "score": 1e999}]`, `[{"id": 3, "id": 4}]`, `[{"ID": 3}]`, `[{"id": null}]`, `[{"id": 1}] x`, `[{"id": 1} {"id": 2}]`, `[{"\u0069d": 1}]`, `[{"id":1,"score":"0.5"}]`, `[null]`,
	"{\"id\": 1}\n{\"id\": 2, \"label\": 3}\n", `{"id": 1}`,
	`{"annotations": [{"image_id": 1, "id": 5, "caption": "A dog."}, {"image_id": 1, "caption": "\ud83d\ude00"}]}`, `{"info": {"a": "\n"}, "annotations": [], "licenses": [1]}`,
	`{"annotations": [{"question_id": 5, "answer_type": "other", "answers": [{"answer": "a", "answer_confidence": "yes", "answer_id": 1}, {"answer": "b", "answer_confidence": "no", "answer_id": 2}]}]}`,
	`{"annotations": [{"question_id": 5, "answers": [{"answer_id": 1, "raw_answer": "as", "answer_confidence": "yes", "answer": "a"}, {"answer_id": 1, "raw_answer": "as", "answer_confidence": "yes", "answer": "a"}]}]}`,
	`{"annotations": [{"question_id": 5, "answers": [{"answer_id": 1, "answer": "a"}, {"answer": "b", "answer_id": 1}]}]}`, `{"annotations": [{"question_id": 5, "answers": [{"answer": "a"}, {"answer":"a"}, "c"]}]}`,
	`{"annotations": [{"question_id": 5, "answers": [{"x": 1, "answer": "a", "y": 2}, {"y": 2, "answer": "a", "x": 1}, {"x": 1, "answer": "a", "y": 3}]}]}`,
	`{"annotations": [{"question_id": 5, "answers": [{"x": 1, "answer": "a", "x": 2}]}]}`, `{"annotations": [{"question_id": 5, "answers": [{"answer": "a", "answer": "b"}]}]}`, `{"annotations": [{"question_id": 5, "answers": [{"x": 1}]}]}`,
	`{"annotations": [{"question_id": 5, "answers": []}], "annotations": []}`, `{"annotations": {}}`, `{"annotations": [{"caption": null}]}`,
}

// idOf and textOf are what a value means as an id and as a text.
func idOf(v any) field {
	switch v := v.(type) {
	case string:
		return field{v, true}
	case json.Number:
		return field{v.String(), true}
	case nil:
		return field{}
	}
	panic(fmt.Sprintf("%v was taken for an id", v))
}

func textOf(v any) field {
	if v == nil {
		return field{}
	}
	return field{v.(string), true}
}

// decode reads JSON, or JSON lines, by encoding/json.
func decode(text string) (values []any, err error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	for d.More() {
		var v any
		if err := d.Decode(&v); err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, nil
}

// wantPredictions makes predictions of maps.
func wantPredictions(values []any) []Prediction {
	if list, ok := values[0].([]any); ok {
		values = list
	}
	var out []Prediction
	for i, v := range values {
		m, _ := v.(map[string]any)
		f := predictionFields{ids: [3]field{idOf(m["question_id"]), idOf(m["image_id"]), idOf(m["id"])},
			texts: [4]field{textOf(m["caption"]), textOf(m["answer"]), textOf(m["prediction"]), idOf(m["label"])}, scores: [2]field{idOf(m["score"]), idOf(m["proba"])}}
		out = append(out, f.prediction(i))
	}
	return out
}

// wantAnnotations makes annotations of maps. What tells people apart is a record without its answer.
func wantAnnotations(list []any) (out []annotation) {
	for _, v := range list {
		m, _ := v.(map[string]any)
		a := annotation{ImageID: idOf(m["image_id"]), QuestionID: idOf(m["question_id"]), Caption: textOf(m["caption"]), AnswerType: textOf(m["answer_type"]).text}
		people, _ := m["answers"].([]any)
		for _, p := range people {
			if text, bare := p.(string); bare {
				a.Answers = append(a.Answers, vqa.Answer{Text: text})
				continue
			}
			record, _ := p.(map[string]any)
			answer := vqa.Answer{Text: textOf(record["answer"]).text}
			delete(record, "answer")
			if len(record) > 0 {
				answer.Rest = fmt.Sprint(record)
			}
			a.Answers = append(a.Answers, answer)
		}
		out = append(out, a)
	}
	return out
}

// sameReading compares what is read with what encoding/json makes of it.
func sameReading(t *testing.T, text string) (taken bool) {
	t.Helper()
	values, wrong := decode(text)
	if got, err := newReader("f", []byte(text)).predictions(); err == nil {
		taken = true
		if wrong != nil {
			t.Fatalf("%q is taken, want %v", text, wrong)
		}
		if want := wantPredictions(values); !slices.Equal(got, want) {
			t.Fatalf("%q is read as %+v, want %+v", text, got, want)
		}
	}
	r := newReader("f", []byte(text))
	if got, err := recordsUnder(r, "annotations", r.annotation); err == nil {
		taken = true
		if wrong != nil || len(values) != 1 {
			t.Fatalf("%q is taken, want %v", text, wrong)
		}
		want := wantAnnotations(values[0].(map[string]any)["annotations"].([]any))
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(field{}), cmpopts.EquateEmpty(), cmpopts.IgnoreFields(vqa.Answer{}, "Rest")); diff != "" {
			t.Fatalf("%q is read otherwise: %s", text, diff)
		}
		for k := range got { // Rest is for telling people apart
			for i, a := range got[k].Answers {
				for j, b := range got[k].Answers {
					if wanted := want[k].Answers; (a == b) != (wanted[i] == wanted[j]) && !strings.Contains(text, `\`) {
						t.Fatalf("%q: answers %d and %d are equal: %v, want %v", text, i, j, a == b, wanted[i] == wanted[j])
					}
				}
			}
		}
	}
	return taken
}

func TestAgainstEncodingJSON(t *testing.T) {
	taken := 0
	for _, text := range seeds {
		if sameReading(t, text) {
			taken++
		}
		for i := range text {
			sameReading(t, text[:i])
			for _, c := range "\"\\{}[],:1 a" {
				sameReading(t, text[:i]+string(c)+text[i+1:])
			}
		}
	}
	if taken != 27 {
		t.Errorf("%d of %d texts are taken", taken, len(seeds))
	}
}

// TestLines: fields are all strings and numbers of a record, whatever its other members are.
func TestLines(t *testing.T) {
	got, err := ReadLines(write(t, "{\"id\": 7, \"where\": \"a\\u00e9\", \"n\": 1.50, \"list\": [1], \"no\": null, \"answers\": [\"x\"]}\n{\"id\": \"b\", \"references\": [\"r\", \"s\"], \"label\": 2}"))
	want := []Line{
		{Reference{ID: "7", Answers: []vqa.Answer{{Text: "x"}}}, map[string]string{"id": "7", "where": "aé", "n": "1.50"}},
		{Reference{ID: "b", Captions: []string{"r", "s"}, Label: "2"}, map[string]string{"id": "b", "label": "2"}},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, %s", err, diff)
	}
}

// TestIDInJSON: an id is its own when the decoder's memory is used again.
func TestIDInJSON(t *testing.T) {
	var ids []ID
	if err := json.Unmarshal([]byte(`["a\n", 42, -1.5e3]`), &ids); err != nil || !slices.Equal(ids, []ID{"a\n", "42", "-1.5e3"}) {
		t.Errorf("%q, %v", ids, err)
	}
	for _, text := range []string{`null`, `true`, `{}`, `[1]`} {
		if new(ID).UnmarshalJSON([]byte(text)) == nil {
			t.Errorf("%s is an id", text)
		}
	}
	if text, err := json.Marshal(ids); err != nil || string(text) != `["a\n",42,"-1.5e3"]` {
		t.Errorf("%s, %v", text, err)
	}
}

func FuzzAgainstEncodingJSON(f *testing.F) {
	for _, text := range seeds {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { sameReading(t, text) })
}

package formats

import (
	"slices"
	"testing"

	"mmc4/eval/metric/vqa"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var quickSeeds = []string{
	`[{"image_id": 1, "caption": "a"}, {"image_id": "x", "caption": "b\u00e9\n"}]`, `[{"question_id":7,"answer":"b","id":8}]`, `[]`, `[{}]`, ` [ {"id" : 1 , "x" : [1,{"y":"\""}]} ] `,
	`[{"id": 3, "label": "1", "proba": 0.25, "score": 1e999}]`, `[{"id": 3, "id": 4}]`, `[{"ID": 3}]`, `[{"id": null}]`, `[{"id": 1}] x`, `[{"id": 1} {"id": 2}]`, `[{"\u0069d": 1}]`,
	`{"annotations": [{"image_id": 1, "id": 5, "caption": "A dog."}, {"image_id": 1, "caption": "\ud83d\ude00"}]}`, `{"info": {"a": "\n"}, "annotations": [], "licenses": [1]}`,
	`{"annotations": [{"question_id": 5, "answer_type": "other", "answers": [{"answer": "a", "answer_confidence": "yes", "answer_id": 1}, {"answer": "b", "answer_confidence": "no", "answer_id": 2}]}]}`,
	`{"annotations": [{"question_id": 5, "answers": [{"answer_id": 1, "raw_answer": "as", "answer_confidence": "yes", "answer": "a"}, {"answer_id": 1, "raw_answer": "as", "answer_confidence": "yes", "answer": "a"}]}]}`,
	`{"annotations": [{"question_id": 5, "answers": [{"answer_id": 1, "answer": "a"}, {"answer": "b", "answer_id": 1}]}]}`, `{"annotations": [{"question_id": 5, "answers": [{"answer": "a"}, {"answer":"a"}, "c"]}]}`,
	`{"annotations": [{"question_id": 5, "answers": [{"x": 1, "answer": "a", "x": 2}]}]}`, `{"annotations": [{"question_id": 5, "answers": [{"answer": "a", "answer": "b"}]}]}`,
	`{"annotations": [{"question_id": 5, "answers": []}], "annotations": []}`, `{"annotations": {}}`, `{"annotations": [{"caption": null}]}`,
}

// sameQuickly compares what the quick way takes with what encoding/json makes of it.
func sameQuickly(t *testing.T, text string) (taken bool) {
	t.Helper()
	if got, ok := quickPredictions([]byte(text)); ok {
		taken = true
		raw, err := list[rawPrediction]("f", []byte(text), 0, []byte(text))
		if err != nil {
			t.Fatalf("%q is taken, want %v", text, err)
		}
		want := make([]Prediction, len(raw))
		for i := range raw {
			want[i] = raw[i].prediction(i)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%q is read as %+v, want %+v", text, got, want)
		}
	}
	if got, ok := quickAnnotations([]byte(text)); ok {
		taken = true
		want, err := listOf[rawAnnotation]("f", []byte(text), "annotations")
		if err != nil {
			t.Fatalf("%q is taken, want %v", text, err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(field{}), cmpopts.EquateEmpty(), cmpopts.IgnoreFields(vqa.Answer{}, "Rest")); diff != "" {
			t.Fatalf("%q is read otherwise: %s", text, diff)
		}
		for k := range got { // Rest is for telling people apart
			for i, a := range got[k].Answers {
				for j, b := range got[k].Answers {
					if wanted := want[k].Answers; (a == b) != (wanted[i] == wanted[j]) {
						t.Fatalf("%q: answers %d and %d are equal: %v, want %v", text, i, j, a == b, wanted[i] == wanted[j])
					}
				}
			}
		}
	}
	return taken
}

func TestQuick(t *testing.T) {
	taken := 0
	for _, text := range quickSeeds {
		if sameQuickly(t, text) {
			taken++
		}
		for i := range text {
			sameQuickly(t, text[:i])
			for _, c := range "\"\\{}[],:1 a" {
				sameQuickly(t, text[:i]+string(c)+text[i+1:])
			}
		}
	}
	if taken != 10 {
		t.Errorf("%d of %d texts are taken", taken, len(quickSeeds))
	}
}

func FuzzQuick(f *testing.F) {
	for _, text := range quickSeeds {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { sameQuickly(t, text) })
}

package score

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"mmc4/eval/formats"
	"mmc4/eval/metric/vqa"
	"mmc4/internal/imaging"
)

func ids(list []formats.ID) string { return fmt.Sprint(list) }

var ctx = context.Background()

func TestProblems(t *testing.T) {
	references := []formats.Reference{
		{ID: "1", Captions: []string{"a red dog runs"}},
		{ID: "2", Captions: []string{"two men walk home"}},
		{ID: "3", Captions: []string{"the sea"}},
		{ID: "4", Captions: []string{"a house by night"}},
		{ID: "5", Captions: []string{"grass"}},
	}
	predictions := []formats.Prediction{
		{ID: "1", Text: "a red dog runs"}, {ID: "2", Text: "two men walk home"}, {ID: "2", Text: "two men walk home"},
		{ID: "3", Text: "sea"}, {ID: "3", Text: "land"}, {ID: "5", Text: ""}, {ID: "9", Text: "x"}, {Bad: "record 7 is broken"},
	}
	report, err := Score(ctx, predictions, references, Options{Metrics: []string{"cider", "rouge", "bleu"}})
	if err != nil {
		t.Fatal(err)
	}
	p := report.Problems
	got := strings.Join([]string{ids(p.Missing), ids(p.Unknown), ids(p.Duplicate), ids(p.Repeated), ids(p.Empty), fmt.Sprint(p.Bad)}, " ")
	if got != "[4] [9] [3] [2] [5] [record 7 is broken]" {
		t.Errorf("problems: %s", got)
	}
	if p.LeftOut() != 4 {
		t.Errorf("%d left out, want 4", p.LeftOut())
	}
	if len(report.Examples()) != 3 || report.Values[0].Examples != 3 {
		t.Errorf("scored %d examples, want 3", len(report.Examples()))
	}
	if report.Examples()[0].Scores["ROUGE_L"] != 100 {
		t.Errorf("a perfect caption has ROUGE %v", report.Examples()[0].Scores["ROUGE_L"])
	}
}

// A record that lacks what a metric needs is named; it is no zero, and not missing as well.
func TestLacking(t *testing.T) {
	references := []formats.Reference{{ID: "1", Label: "1"}, {ID: "2", Label: "0"}, {ID: "3", Label: "1"}}
	predictions := []formats.Prediction{{ID: "1", Text: "1", Score: 0.9}, {ID: "2", Score: 0.1, NoText: true}, {ID: "3", Text: "1", NoScore: true}}
	for metrics, want := range map[string]string{"auc": "id 3 has neither score", "top1": "id 2 has a score only"} {
		report, err := Score(ctx, predictions, references, Options{Metrics: []string{metrics}})
		if err != nil {
			t.Fatal(err)
		}
		p := report.Problems
		if len(p.Bad) != 1 || !strings.Contains(p.Bad[0], want) || p.LeftOut() != 1 || report.Values[0].Examples != 2 || len(p.Empty) != 0 {
			t.Errorf("%s: %+v of %+v", metrics, p, report.Values)
		}
	}
}

func TestNothingInCommon(t *testing.T) {
	_, err := Score(ctx, []formats.Prediction{{ID: "a"}}, []formats.Reference{{ID: "b"}}, Options{Metrics: []string{"vqa"}})
	if err == nil {
		t.Error("scored nothing")
	}
	if _, err := Score(ctx, nil, nil, Options{Metrics: []string{"meteor"}}); err == nil || !strings.Contains(err.Error(), "cider") {
		t.Errorf("an unknown metric: %v", err)
	}
}

func TestClassification(t *testing.T) {
	references := []formats.Reference{{ID: "1", Label: "1"}, {ID: "2", Label: "0"}, {ID: "3", Label: "1"}}
	predictions := []formats.Prediction{{ID: "1", Text: "1", Score: 0.9}, {ID: "2", Text: "1", Score: 0.8}, {ID: "3", Text: "1", Score: 0.7}}
	report, err := Score(ctx, predictions, references, Options{Metrics: []string{"auc", "top1"}})
	if err != nil {
		t.Fatal(err)
	}
	if report.Values[0].Value != 50 || math.Abs(report.Values[1].Value-200.0/3) > 1e-9 {
		t.Errorf("got %+v", report.Values)
	}
	report, err = Score(ctx, predictions[:1], references, Options{Metrics: []string{"auc"}})
	if err != nil || !math.IsNaN(report.Values[0].Value) || report.Values[0].Note == "" {
		t.Errorf("one class only: %+v, %v", report.Values, err)
	}
}

func TestMetricNeedsItsField(t *testing.T) {
	r := []formats.Reference{{ID: "1", Answers: []vqa.Answer{{Text: "a"}}}}
	p := []formats.Prediction{{ID: "1", Text: "a"}}
	for _, m := range []string{"cider", "auc", "top1"} {
		if _, err := Score(ctx, p, r, Options{Metrics: []string{m}}); err == nil || !strings.Contains(err.Error(), "reference 1") {
			t.Errorf("%s of a reference without its field: %v", m, err)
		}
	}
}

type fakeCLIP struct{}

func (fakeCLIP) EncodeImages(_ context.Context, images []*imaging.RGB) ([][]float32, error) {
	return make2(len(images)), nil
}

func (fakeCLIP) EncodeTexts(_ context.Context, texts []string) ([][]float32, error) {
	return make2(len(texts)), nil
}

func make2(n int) [][]float32 {
	out := make([][]float32, n)
	for i := range out {
		out[i] = []float32{1, 0}
	}
	return out
}

func TestCLIP(t *testing.T) {
	r := []formats.Reference{{ID: "1"}, {ID: "2"}}
	p := []formats.Prediction{{ID: "1", Text: "a"}, {ID: "2", Text: "b"}}
	report, err := Score(ctx, p, r, Options{Metrics: []string{"clip"}, CLIP: fakeCLIP{}, Picture: func(_ context.Context, id formats.ID) (*imaging.RGB, error) {
		if id == "2" {
			return nil, errors.New("gone")
		}
		return imaging.NewRGB(2, 2), nil
	}})
	if err != nil || report.Values[0].Value != 250 || report.Values[0].Examples != 1 || report.Problems.LeftOut() != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	if _, err := Score(ctx, p, r, Options{Metrics: []string{"clip"}}); err == nil {
		t.Error("scored without a model")
	}
}

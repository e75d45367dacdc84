package conformance

import (
	"context"
	"fmt"

	"mmc4/eval/formats"
	"mmc4/eval/metric"
	"mmc4/eval/metric/caption"
	"mmc4/eval/metric/vqa"
	"mmc4/eval/score"
)

func init() {
	register("vqa.normalise", checkVQANormalise)
	register("vqa.postprocess", checkVQAPostprocess)
	register("vqa.accuracy", checkVQAAccuracy)
	register("vqa.files", checkVQAFiles)
	register("auc", checkAUC)
}

func checkVQANormalise(_ context.Context, _ *Env, c *Case, r *Report) error {
	var in struct {
		Cases []struct{ Answer, Punctuation, Normalised string }
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	for _, one := range in.Cases {
		r.Equal(fmt.Sprintf("punctuation of %q", one.Answer), vqa.Punctuation(vqa.Trim(one.Answer)), one.Punctuation)
		r.Equal(fmt.Sprintf("%q", one.Answer), vqa.Normalise(one.Answer), one.Normalised)
	}
	return nil
}

func checkVQAPostprocess(_ context.Context, _ *Env, c *Case, r *Report) error {
	var in struct {
		Cases []struct{ Generated, VQA, Caption string }
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	for _, one := range in.Cases {
		r.Equal(fmt.Sprintf("answer of %q", one.Generated), vqa.Postprocess(one.Generated), one.VQA)
		r.Equal(fmt.Sprintf("caption of %q", one.Generated), caption.Postprocess(one.Generated), one.Caption)
	}
	return nil
}

func checkVQAAccuracy(_ context.Context, _ *Env, c *Case, r *Report) error {
	var in struct {
		Tolerance      struct{ Accuracy float64 }
		Overall        float64 `json:"overall"`
		OverallWithout float64 `json:"overall_without_answer_id"`
		Cases          []struct {
			QuestionID formats.ID  `json:"question_id"`
			Prediction string      `json:"prediction"`
			Answers    [][2]string `json:"answers"`
			Accuracy   float64     `json:"accuracy"`
			Without    float64     `json:"accuracy_without_answer_id"`
		}
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	n := vqa.NewNormaliser()
	var sum, sumWithout float64
	for _, one := range in.Cases {
		var answers []vqa.Answer
		for _, a := range one.Answers {
			answers = append(answers, vqa.Answer{Text: a[0], Rest: a[1]})
		}
		with, without := n.Accuracy(one.Prediction, answers), n.CompatAccuracy(one.Prediction, answers)
		r.Near(fmt.Sprintf("question %s", one.QuestionID), vqa.Percent(with), one.Accuracy, in.Tolerance.Accuracy)
		r.Near(fmt.Sprintf("question %s without answer_id", one.QuestionID), vqa.Percent(without), one.Without, in.Tolerance.Accuracy)
		sum, sumWithout = sum+with, sumWithout+without
	}
	r.Near("overall", vqa.Percent(sum/float64(len(in.Cases))), in.Overall, in.Tolerance.Accuracy)
	r.Near("overall without answer_id", vqa.Percent(sumWithout/float64(len(in.Cases))), in.OverallWithout, in.Tolerance.Accuracy)
	return nil
}

func checkVQAFiles(ctx context.Context, _ *Env, c *Case, r *Report) error {
	var in struct {
		Config    struct{ Questions, Annotations, Results string }
		Tolerance struct{ Accuracy float64 }
		Overall   float64
		PerType   map[string]float64 `json:"per_answer_type"`
		Cases     []struct {
			QuestionID formats.ID `json:"question_id"`
			Accuracy   float64
		}
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	if _, err := formats.ReadQuestions(c.Path(in.Config.Questions)); err != nil {
		return err
	}
	report, err := score.Files(ctx, c.Path(in.Config.Results), c.Path(in.Config.Annotations), score.Options{Metrics: []string{"vqa"}, Compat: true})
	if err != nil {
		return err
	}
	got := map[string]float64{}
	for _, v := range report.Values {
		got[v.Name] = v.Value
	}
	r.Near("overall", got["VQA"], in.Overall, in.Tolerance.Accuracy)
	for kind, want := range in.PerType {
		r.Near(kind, got["VQA "+kind], want, in.Tolerance.Accuracy)
	}
	byID := map[formats.ID]float64{}
	for _, e := range report.Examples() {
		byID[e.ID] = e.Scores["VQA"]
	}
	for _, one := range in.Cases {
		value, ok := byID[one.QuestionID]
		r.Equal(fmt.Sprintf("question %s is scored", one.QuestionID), ok, true)
		r.Near(fmt.Sprintf("question %s", one.QuestionID), value, one.Accuracy, in.Tolerance.Accuracy)
	}
	return nil
}

func checkAUC(_ context.Context, _ *Env, c *Case, r *Report) error {
	var in struct {
		Tolerance struct{ AUC float64 }
		Cases     []struct {
			Labels []int
			Scores []float64
			AUC    *float64
		}
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	for i, one := range in.Cases {
		positive := make([]bool, len(one.Labels))
		for k, l := range one.Labels {
			positive[k] = l == 1
		}
		got, ok, err := metric.AUC(positive, one.Scores)
		if err != nil {
			return err
		}
		r.Equal(fmt.Sprintf("case %d is defined", i), ok, one.AUC != nil)
		if one.AUC != nil {
			r.Near(fmt.Sprintf("case %d", i), got, *one.AUC, in.Tolerance.AUC)
		}
	}
	return nil
}

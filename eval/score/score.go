// Package score compares a file of predictions with a file of references: it pairs them by id, says what could not be
// paired, and computes the metrics that were asked for. An example that is missing, unknown, given twice or broken is
// named and left out; it never counts as a zero.
package score

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"mmc4/eval/formats"
	"mmc4/eval/metric"
	"mmc4/eval/metric/caption"
	"mmc4/eval/metric/ptb"
	"mmc4/eval/metric/vqa"
	"mmc4/internal/imaging"
)

// Metrics lists what can be asked for.
var Metrics = []string{"cider", "bleu", "rouge", "vqa", "auc", "top1", "clip"}

// Options say what to compute.
type Options struct {
	Metrics  []string
	Compat   bool   // VQA accuracy as open_flamingo 2.0.1 computes it
	Positive string // the label of the positive class for AUC: "1" or "yes" when empty
	Seed     uint64 // of the bootstrap
	// CLIP and Picture are what CLIPScore needs: a model, and the picture of an example.
	CLIP    metric.Embedder
	Picture func(ctx context.Context, id formats.ID) (*imaging.RGB, error)
}

// Value is one metric.
type Value struct {
	Name     string           `json:"metric"`
	Value    float64          `json:"value"` // in percent
	Interval *metric.Interval `json:"interval,omitempty"`
	Examples int              `json:"examples"`
	Note     string           `json:"note,omitempty"`
}

// Report is the outcome.
type Report struct {
	Values   []Value
	Problems Problems

	means   []mean       // whose intervals are not there yet
	ids     []formats.ID // of the examples
	columns map[string][]float64
}

// mean is a metric that is the mean of the examples' scores.
type mean struct {
	value  int // of Values
	scores []float64
}

// Example is what one example scored, by metric, in percent.
type Example struct {
	ID     formats.ID
	Scores map[string]float64
}

// Examples are what every example scored, in the order of the references.
func (r *Report) Examples() []Example {
	examples := make([]Example, len(r.ids))
	for i, id := range r.ids {
		examples[i] = Example{ID: id, Scores: make(map[string]float64, len(r.columns))}
		for name, scores := range r.columns {
			if !math.IsNaN(scores[i]) {
				examples[i].Scores[name] = scores[i]
			}
		}
	}
	return examples
}

// column records what every example scored, in percent.
func (r *Report) column(name string, scores []float64) {
	percent := make([]float64, len(scores))
	for i, x := range scores {
		percent[i] = 100 * x
	}
	r.columns[name] = percent
}

// Files reads two files, both at once, and scores one against the other.
func Files(ctx context.Context, predictions, references string, o Options) (*Report, error) {
	var said []formats.Prediction
	var saidErr error
	var wg sync.WaitGroup
	wg.Go(func() {
		said, saidErr = formats.ReadPredictions(predictions)
		if slices.ContainsFunc(o.Metrics, isCaption) { // what the tokenizer builds at first, it builds while the references are read
			var some []string
			for i := range said[:min(ptb.Chunk, len(said))] {
				some = append(some, said[i].Text)
			}
			ptb.Captions(some)
		}
	})
	meant, err := formats.ReadReferences(references)
	wg.Wait()
	if err = cmp.Or(saidErr, err); err != nil {
		return nil, err
	}
	return Score(ctx, said, meant, o)
}

// Score computes the metrics over the examples that both sides have.
func Score(ctx context.Context, predictions []formats.Prediction, references []formats.Reference, o Options) (*Report, error) {
	for _, m := range o.Metrics {
		if !slices.Contains(Metrics, m) {
			return nil, fmt.Errorf("unknown metric %q: there are %s", m, strings.Join(Metrics, ", "))
		}
	}
	pairs, problems := pair(predictions, references, o.Metrics)
	report := &Report{Problems: problems, ids: make([]formats.ID, len(pairs)), columns: map[string][]float64{}}
	if len(pairs) == 0 {
		return report, fmt.Errorf("no prediction can be scored: %s", problems)
	}
	for i, p := range pairs {
		report.ids[i] = p.reference.ID
	}
	var captions *caption.Result
	for _, name := range o.Metrics {
		var err error
		switch name {
		case "cider", "bleu", "rouge":
			if captions == nil {
				captions, err = scoreCaptions(pairs, o.Metrics)
			}
			if err == nil {
				report.captions(name, captions)
			}
		case "vqa":
			err = report.answers(pairs, o)
		case "auc":
			err = report.auc(pairs, o)
		case "top1":
			err = report.top1(pairs, o)
		case "clip":
			err = report.clip(ctx, pairs, o)
		}
		if err != nil {
			return report, fmt.Errorf("%s: %w", name, err)
		}
	}
	report.intervals(o.Seed)
	return report, nil
}

// intervals draws the examples once for all means.
func (r *Report) intervals(seed uint64) {
	scores := make([][]float64, len(r.means))
	for i, m := range r.means {
		scores[i] = m.scores
	}
	for i, interval := range metric.BootstrapMeans(scores, seed) {
		r.Values[r.means[i].value].Interval = &metric.Interval{Low: 100 * interval.Low, High: 100 * interval.High}
	}
}

func isCaption(metric string) bool { return metric == "cider" || metric == "bleu" || metric == "rouge" }

// scoreCaptions computes all scores of captions that are wanted at once.
func scoreCaptions(pairs []paired, metrics []string) (*caption.Result, error) {
	hypotheses := make([]string, len(pairs))
	references := make([][]string, len(pairs))
	for i, p := range pairs {
		if len(p.reference.Captions) == 0 {
			return nil, fmt.Errorf("reference %s has no captions", p.reference.ID)
		}
		hypotheses[i], references[i] = p.prediction.Text, p.reference.Captions
	}
	corpus, err := caption.Read(hypotheses, references)
	if err != nil {
		return nil, err
	}
	return corpus.Score(caption.Want{CIDEr: slices.Contains(metrics, "cider"), BLEU: slices.Contains(metrics, "bleu"),
		ROUGE: slices.Contains(metrics, "rouge")}), nil
}

func (r *Report) captions(name string, scores *caption.Result) {
	switch name {
	case "cider":
		s := scores.CIDEr
		note := ""
		if len(s.PerImage) == 1 {
			note = "CIDEr of a single image is always 0"
		}
		r.add("CIDEr", s.Corpus, s.PerImage, note)
	case "rouge":
		s := scores.ROUGE
		r.add("ROUGE_L", s.Corpus, s.PerImage, "")
	case "bleu":
		for n, s := range scores.BLEU {
			label := fmt.Sprintf("BLEU_%d", n+1)
			// The corpus score is no mean, so the interval of a mean would not be its own.
			r.Values = append(r.Values, Value{Name: label, Value: 100 * s.Corpus, Examples: len(s.PerImage)})
			r.column(label, s.PerImage)
		}
	}
}

// add records a metric that is the mean of the examples' scores (0..1, or 0..10 for CIDEr).
func (r *Report) add(name string, value float64, scores []float64, note string) {
	r.means = append(r.means, mean{len(r.Values), scores})
	r.Values = append(r.Values, Value{Name: name, Value: 100 * value, Examples: len(scores), Note: note})
	r.column(name, scores)
}

func (r *Report) answers(pairs []paired, o Options) error {
	scores := make([]float64, len(pairs))
	var sum float64
	byType := map[string][]float64{}
	for _, p := range pairs {
		if len(p.reference.Answers) == 0 {
			return fmt.Errorf("reference %s has no answers", p.reference.ID)
		}
	}
	each(len(pairs), func(i int, n *vqa.Normaliser) {
		if o.Compat {
			scores[i] = n.CompatAccuracy(pairs[i].prediction.Text, pairs[i].reference.Answers)
		} else {
			scores[i] = n.Accuracy(pairs[i].prediction.Text, pairs[i].reference.Answers)
		}
	})
	for i, p := range pairs {
		sum += scores[i]
		if t := p.reference.AnswerType; t != "" {
			byType[t] = append(byType[t], scores[i])
		}
	}
	note := ""
	if o.Compat {
		note = "as open_flamingo 2.0.1: equal records of one question count once"
	}
	r.add("VQA", sum/float64(len(scores)), scores, note)
	last := &r.Values[len(r.Values)-1]
	last.Value = vqa.Percent(sum / float64(len(scores)))
	for i, x := range scores {
		r.columns["VQA"][i] = vqa.Percent(x)
	}
	var types []string
	for t := range byType {
		types = append(types, t)
	}
	slices.Sort(types)
	for _, t := range types {
		var sum float64
		for _, s := range byType[t] {
			sum += s
		}
		n := len(byType[t])
		r.Values = append(r.Values, Value{Name: "VQA " + t, Value: vqa.Percent(sum / float64(n)), Examples: n})
	}
	return nil
}

func (r *Report) auc(pairs []paired, o Options) error {
	positive, scores := make([]bool, len(pairs)), make([]float64, len(pairs))
	for i, p := range pairs {
		if p.reference.Label == "" {
			return fmt.Errorf("reference %s has no label", p.reference.ID)
		}
		positive[i] = p.reference.Label == o.Positive || o.Positive == "" && (p.reference.Label == "1" || p.reference.Label == "yes")
		scores[i] = p.prediction.Score
	}
	value, ok, err := metric.AUC(positive, scores)
	if err != nil {
		return err
	}
	if !ok {
		r.Values = append(r.Values, Value{Name: "ROC_AUC", Value: math.NaN(), Examples: len(pairs), Note: "undefined: only one class is there"})
		return nil
	}
	interval, err := metric.BootstrapAUC(positive, scores, o.Seed)
	if err != nil {
		return err
	}
	interval.Low, interval.High = 100*interval.Low, 100*interval.High
	r.Values = append(r.Values, Value{Name: "ROC_AUC", Value: 100 * value, Interval: &interval, Examples: len(pairs)})
	return nil
}

func (r *Report) top1(pairs []paired, o Options) error {
	scores := make([]float64, len(pairs))
	var sum float64
	for i, p := range pairs {
		if p.reference.Label == "" {
			return fmt.Errorf("reference %s has no label", p.reference.ID)
		}
		if p.prediction.Text == p.reference.Label {
			scores[i] = 1
		}
		sum += scores[i]
	}
	r.add("top1", sum/float64(len(pairs)), scores, "")
	return nil
}

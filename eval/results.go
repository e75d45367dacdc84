package eval

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mmc4/eval/formats"
	"mmc4/eval/metric"
	"mmc4/eval/score"
)

// Results is results.json.
type Results struct {
	Evaluation string       `json:"evaluation"` // names config, model, tasks and data
	Config     *Config      `json:"config"`
	Tasks      []TaskResult `json:"tasks"`
	Asked      int          `json:"asked"`
	Failed     int          `json:"failed"` // could not be asked: a picture is missing or broken
}

// TaskResult is one task's line of the table.
type TaskResult struct {
	Name   string   `json:"name"`
	Title  string   `json:"title"`
	Metric string   `json:"metric"`
	Series []Result `json:"series"` // by shots
}

// Result is one cell: a number of shots, over all trials.
type Result struct {
	Shots  int     `json:"shots"`
	Mean   *Number `json:"mean"`
	Std    *Number `json:"std"`
	Trials []Trial `json:"trials"`
}

// Trial is one seed.
type Trial struct {
	Seed     uint64           `json:"seed"`
	Value    *Number          `json:"value"` // nil where there is nothing to score against
	Interval *metric.Interval `json:"interval,omitempty"`
	Examples int              `json:"examples"`
	Failed   []Failure        `json:"failed,omitempty"`
	Empty    int              `json:"empty,omitempty"` // empty predictions, scored as they are
	Note     string           `json:"note,omitempty"`
}

// Failure is an example that could not be asked.
type Failure struct {
	ID    formats.ID `json:"id"`
	Error string     `json:"error"`
}

// failures names the first few examples that could not be asked.
func (r *Results) failures(most int) string {
	var words []string
	for _, line := range r.Tasks {
		for _, cell := range line.Series {
			for _, t := range cell.Trials {
				for _, f := range t.Failed {
					words = append(words, fmt.Sprintf("%s, %d shots, %s: %s", line.Name, cell.Shots, f.ID, f.Error))
				}
			}
		}
	}
	if len(words) > most {
		words = append(words[:most], "and more, see results.json")
	}
	return strings.Join(words, "; ")
}

// Number is a float64 that JSON can hold: what is no number is null.
type Number float64

// MarshalJSON writes null for NaN and infinity.
func (n Number) MarshalJSON() ([]byte, error) {
	if f := float64(n); math.IsNaN(f) || math.IsInf(f, 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// score scores every trial.
func (r *runner) score(records [][]Record) (*Results, error) {
	results := &Results{Evaluation: r.evaluation, Config: r.config}
	byTrial := map[unit][]Record{}
	for i, u := range r.units {
		key := unit{task: u.task, shots: u.shots, seed: u.seed}
		byTrial[key] = append(byTrial[key], records[i]...)
	}
	for i := range r.jobs {
		j := &r.jobs[i]
		line := TaskResult{Name: j.task.Name, Title: j.task.Title, Metric: j.task.Metric}
		for _, shots := range r.config.Shots {
			cell := Result{Shots: shots}
			var values []float64
			for _, seed := range r.config.Seeds {
				t, err := r.trial(j, byTrial[unit{task: i, shots: shots, seed: seed}])
				if err != nil {
					return nil, fmt.Errorf("task %s, %d shots, seed %d: %w", j.task.Name, shots, seed, err)
				}
				t.Seed = seed
				cell.Trials = append(cell.Trials, t)
				results.Asked += t.Examples + len(t.Failed)
				results.Failed += len(t.Failed)
				if t.Value != nil && !math.IsNaN(float64(*t.Value)) {
					values = append(values, float64(*t.Value))
				}
			}
			if len(values) > 0 {
				mean, std := metric.MeanDeviation(values)
				m, s := Number(mean), Number(std)
				cell.Mean, cell.Std = &m, &s
			}
			line.Series = append(line.Series, cell)
		}
		results.Tasks = append(results.Tasks, line)
	}
	return results, nil
}

func (r *runner) trial(j *job, records []Record) (Trial, error) {
	var t Trial
	byID := map[formats.ID]int{}
	for i := range j.data.Test {
		byID[j.data.Test[i].ID] = i
	}
	positive := max(0, slices.Index(j.data.Classes, j.task.Positive))
	var predictions []formats.Prediction
	var references []formats.Reference
	for i := range records {
		rec := &records[i]
		if rec.Error != "" {
			t.Failed = append(t.Failed, Failure{rec.ID, rec.Error})
			continue
		}
		t.Examples++
		sample := &j.data.Test[byID[rec.ID]]
		if !sample.Labelled() {
			continue
		}
		p := formats.Prediction{ID: rec.ID, Text: rec.Prediction}
		if len(rec.LogProbs) > 0 {
			p.Score = softmax(rec.LogProbs, positive)
		}
		if p.Text == "" {
			t.Empty++
		}
		predictions = append(predictions, p)
		references = append(references, sample.Reference)
	}
	if len(predictions) == 0 {
		t.Note = "nothing to score against"
		return t, nil
	}
	report, err := score.Score(context.Background(), predictions, references, score.Options{Metrics: []string{j.task.Metric}, Compat: r.config.Compat != "", Positive: j.task.Positive, Seed: 1})
	if err != nil {
		return t, err
	}
	v := report.Values[0]
	n := Number(v.Value)
	t.Value, t.Interval, t.Note = &n, v.Interval, v.Note
	return t, nil
}

// softmax is the probability of one class.
func softmax(logs []float64, class int) float64 {
	top := slices.Max(logs)
	var sum float64
	for _, x := range logs {
		sum += math.Exp(x - top)
	}
	return math.Exp(logs[class]-top) / sum
}

// write writes everything that a finished run leaves behind, each file whole or not at all.
func (r *runner) write(results *Results, records [][]Record) error {
	text, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(r.config.Out, "results.json"), append(text, '\n')); err != nil {
		return err
	}
	if err := r.writeSubmissions(records); err != nil {
		return err
	}
	page, err := r.report(results, records)
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(r.config.Out, "report.html"), page)
}

func writeFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".writing-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone after the rename
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	return err
}

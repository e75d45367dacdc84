package eval

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"strings"

	"mmc4/internal/imaging"
)

//go:embed report.html.tmpl
var reportText string

// shownExamples is how many predictions of a task the report shows, and thumbnail how large their pictures are.
const (
	shownExamples = 60
	thumbnail     = 160
)

// reportPage is what the template sees.
type reportPage struct {
	Results *Results
	Shots   []int
	Notes   []string
	Rows    []reportRow
	Tasks   []reportTask
}

type reportRow struct {
	Title, Metric string
	Cells         []string
}

type reportTask struct {
	Title, Metric string
	Chart         template.HTML
	Failures      []Failure
	Shown, All    int
	Examples      []reportExample
}

type reportExample struct {
	ID, Prompt, Generated, Prediction, Error string
	References                               []string
	Shots                                    int
	Picture                                  template.URL
}

// report makes the page: nothing in it is loaded from elsewhere, and all text is escaped by the template.
func (r *runner) report(results *Results, records [][]Record) ([]byte, error) {
	page := reportPage{Results: results, Shots: r.config.Shots, Notes: r.notes()}
	for i, line := range results.Tasks {
		row := reportRow{Title: line.Title, Metric: line.Metric}
		one := reportTask{Title: line.Title, Metric: line.Metric, Chart: chart(&line, r.config.Demonstrations != "rices")}
		for _, cell := range line.Series {
			row.Cells = append(row.Cells, cell.String())
			for _, t := range cell.Trials {
				one.Failures = append(one.Failures, t.Failed...)
			}
		}
		r.examples(&one, i, records)
		page.Rows, page.Tasks = append(page.Rows, row), append(page.Tasks, one)
	}
	var b bytes.Buffer
	err := template.Must(template.New("report").Parse(reportText)).Execute(&b, &page)
	return b.Bytes(), err
}

// String is a cell of the table: the mean, and the deviation over trials where there are several.
func (c Result) String() string {
	switch {
	case c.Mean == nil:
		return "-"
	case len(c.Trials) > 1:
		return fmt.Sprintf("%.1f (%.1f)", float64(*c.Mean), float64(*c.Std))
	}
	return fmt.Sprintf("%.1f", float64(*c.Mean))
}

func (r *runner) notes() []string {
	c := r.config
	notes := []string{fmt.Sprintf("Demonstrations: %s; seeds %s; 0 shots show two texts without pictures.", c.Demonstrations, strings.Trim(fmt.Sprint(c.Seeds), "[]"))}
	if c.Samples > 0 {
		notes = append(notes, fmt.Sprintf("At most %d test examples of each task were asked. CIDEr counts how rare words are among these only.", c.Samples))
	}
	if c.Compat != "" {
		notes = append(notes, "Choices, classification and VQA accuracy as in "+c.Compat+".")
	}
	for _, j := range r.jobs {
		if j.task.Kind != "class" {
			d := j.task.Decoding
			notes = append(notes, fmt.Sprintf("%s: %d beams, length penalty %g, at most %d tokens.", j.task.Title, d.Beams, d.LengthPenalty, d.MaxNewTokens))
		}
	}
	return notes
}

// examples picks predictions of the trial with the most shots.
func (r *runner) examples(one *reportTask, number int, records [][]Record) {
	most := 0
	for _, s := range r.config.Shots {
		most = max(most, s)
	}
	j := &r.jobs[number]
	references := map[string][]string{}
	for i := range j.data.Test {
		s := &j.data.Test[i]
		list := append([]string(nil), s.Reference.Captions...)
		for _, a := range s.Reference.Answers {
			list = append(list, a.Text)
		}
		if s.Reference.Label != "" {
			list = append(list, s.Reference.Label)
		}
		references[string(s.ID)] = list
	}
	for i, u := range r.units {
		if u.task != number || u.shots != most || u.seed != r.config.Seeds[0] {
			continue
		}
		for _, rec := range records[i] {
			if one.All++; one.Shown == shownExamples {
				continue
			}
			one.Shown++
			one.Examples = append(one.Examples, reportExample{ID: string(rec.ID), Prompt: rec.Prompt, Generated: rec.Generated, Prediction: rec.Prediction,
				Error: rec.Error, References: references[string(rec.ID)], Shots: rec.Shots, Picture: r.thumbnail(j, rec.Image)})
		}
	}
}

// thumbnail is a small copy of a picture as a data URL, "" when it cannot be read.
func (r *runner) thumbnail(j *job, name string) template.URL {
	data, err := r.openImage(fmt.Sprintf("%d:%s", j.place, name))
	if err != nil {
		return ""
	}
	picture, err := imaging.DecodePreview(data, imaging.Limits{}, thumbnail)
	if err != nil {
		return ""
	}
	m := picture.RGB()
	if side := max(m.Width, m.Height); side > thumbnail {
		m = imaging.Resize(m, max(1, m.Width*thumbnail/side), max(1, m.Height*thumbnail/side), imaging.Bilinear, nil)
	}
	var b bytes.Buffer
	if err := imaging.EncodeJPEG(&b, m, 80); err != nil {
		return ""
	}
	return template.URL("data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(b.Bytes()))
}

package task

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mmc4/eval/formats"
	"mmc4/eval/metric/vqa"
	"mmc4/eval/pictures"
)

// Sample is one example.
type Sample struct {
	ID        formats.ID
	Image     string            // path below the data folder
	Fields    map[string]string // what templates may name
	Reference formats.Reference // what it is scored against; empty in unlabelled sets
}

// Labelled says whether there is anything to score against.
func (s *Sample) Labelled() bool {
	return len(s.Reference.Captions) > 0 || len(s.Reference.Answers) > 0 || s.Reference.Label != ""
}

// Data is a task's data set.
type Data struct {
	Train, Test []Sample
	Classes     []string
}

// Read reads both splits below a data folder. place has the pictures; only the format folder (imagenet.go) looks into it.
func (t *Task) Read(ctx context.Context, root string, place pictures.Place) (*Data, error) {
	d := &Data{Classes: t.Classes}
	if t.ClassNames != "" {
		text, err := os.ReadFile(filepath.Join(root, t.ClassNames))
		if err != nil {
			return nil, fmt.Errorf("task %s: class names: %w", t.Name, err)
		}
		d.Classes = nil
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); line != "" {
				d.Classes = append(d.Classes, line)
			}
		}
	}
	if t.Kind == "class" {
		if twice := repeated(d.Classes); twice != "" {
			return nil, fmt.Errorf("task %s: class %q is there twice", t.Name, twice)
		}
	}
	var err error
	if d.Train, err = t.read(ctx, root, place, t.Train, d.Classes); err != nil {
		return nil, fmt.Errorf("task %s, train: %w", t.Name, err)
	}
	if d.Test, err = t.read(ctx, root, place, t.Test, d.Classes); err != nil {
		return nil, fmt.Errorf("task %s, test: %w", t.Name, err)
	}
	seen := map[formats.ID]bool{}
	for i := range d.Test {
		if id := d.Test[i].ID; seen[id] {
			return nil, fmt.Errorf("task %s, test: id %s is there twice", t.Name, id)
		} else {
			seen[id] = true
		}
		if lacks := t.lacks(&d.Test[i]); lacks != "" { // said now, not when all has been computed
			return nil, fmt.Errorf("task %s, test: id %s has no %s, which metric %s needs", t.Name, d.Test[i].ID, lacks, t.Metric)
		}
	}
	return d, nil
}

// lacks is what a labelled example would need to have for the task's metric, "" when it has it.
func (t *Task) lacks(s *Sample) string {
	needs, has := "label", s.Reference.Label != ""
	switch t.Metric {
	case "cider", "bleu", "rouge":
		needs, has = "captions", len(s.Reference.Captions) > 0
	case "vqa":
		needs, has = "answers", len(s.Reference.Answers) > 0
	}
	if has || !s.Labelled() {
		return ""
	}
	return needs
}

func (t *Task) read(ctx context.Context, root string, place pictures.Place, s Split, classes []string) ([]Sample, error) {
	var samples []Sample
	var err error
	switch t.Format {
	case "karpathy":
		samples, err = readKarpathy(root, s)
	case "vqa":
		samples, err = readVQA(root, s)
	case "textvqa":
		samples, err = readTextVQA(root, s)
	case "vizwiz":
		samples, err = readVizWiz(root, s)
	case "memes":
		samples, err = readMemes(root, s)
	case "folder":
		if s.Annotations != "" {
			return readFlat(ctx, root, place, s, classes)
		}
		return readFolder(ctx, place, s, classes)
	case "lines":
		samples, err = readLines(root, s)
	}
	if err != nil {
		return nil, err
	}
	if len(samples) == 0 {
		return nil, errors.New("there are no examples in it")
	}
	location, err := parseTemplate(s.Images)
	if err != nil {
		return nil, fmt.Errorf("images: %w", err)
	}
	for i := range samples {
		if samples[i].Image, err = location.fill(samples[i].Fields); err != nil {
			return nil, fmt.Errorf("images: %w", err)
		}
	}
	return samples, nil
}

func readKarpathy(root string, s Split) ([]Sample, error) {
	images, err := formats.ReadKarpathy(filepath.Join(root, s.Annotations))
	if err != nil {
		return nil, err
	}
	var out []Sample
	for i := range images {
		m := &images[i]
		if m.Split != s.Split {
			continue
		}
		id := m.ID()
		one := Sample{ID: id, Reference: formats.Reference{ID: id}, Fields: map[string]string{
			"caption": strings.TrimSpace(m.Sentences[0]), "filename": m.FileName, "filepath": m.FilePath, "id": string(id)}}
		one.Reference.Captions = append(one.Reference.Captions, m.Sentences...)
		out = append(out, one)
	}
	return out, nil
}

// question makes a sample of a question and people's answers; the first answer is what a demonstration shows.
func question(id, image formats.ID, text string, answers []vqa.Answer, answerType string) Sample {
	s := Sample{ID: id, Fields: map[string]string{"question": text, "image_id": string(image), "image": string(image), "question_id": string(id)},
		Reference: formats.Reference{ID: id, Answers: answers, AnswerType: answerType}}
	if len(answers) > 0 {
		s.Fields["answer"] = answers[0].Text
	}
	return s
}

func readVQA(root string, s Split) ([]Sample, error) {
	questions, err := formats.ReadQuestions(filepath.Join(root, s.Questions))
	if err != nil {
		return nil, err
	}
	byID := map[formats.ID]*formats.Reference{}
	if s.Annotations != "" {
		annotations, err := formats.ReadReferences(filepath.Join(root, s.Annotations))
		if err != nil {
			return nil, err
		}
		for i := range annotations {
			byID[annotations[i].ID] = &annotations[i]
		}
	}
	var out []Sample
	var without []string
	for _, q := range questions {
		r := byID[q.QuestionID]
		if r == nil {
			if s.Annotations != "" {
				without = append(without, string(q.QuestionID))
				continue
			}
			r = &formats.Reference{}
		}
		out = append(out, question(q.QuestionID, q.ImageID, q.Question, r.Answers, r.AnswerType))
	}
	if len(without) > 0 {
		return nil, fmt.Errorf("%d questions of %s have no annotation in %s (%s)", len(without), s.Questions, s.Annotations, strings.Join(without[:min(5, len(without))], ", "))
	}
	return out, nil
}

func readTextVQA(root string, s Split) ([]Sample, error) {
	list, err := formats.ReadTextVQA(filepath.Join(root, s.Annotations))
	if err != nil {
		return nil, err
	}
	var out []Sample
	for i := range list {
		out = append(out, question(list[i].QuestionID, list[i].ImageID, list[i].Question, list[i].People(), ""))
	}
	return out, nil
}

func readVizWiz(root string, s Split) ([]Sample, error) {
	list, err := formats.ReadVizWiz(filepath.Join(root, s.Annotations))
	if err != nil {
		return nil, err
	}
	var out []Sample
	for i := range list {
		out = append(out, question(formats.ID(list[i].Image), formats.ID(list[i].Image), list[i].Question, list[i].Answers, list[i].AnswerType))
	}
	return out, nil
}

func readMemes(root string, s Split) ([]Sample, error) {
	memes, err := formats.ReadMemes(filepath.Join(root, s.Annotations))
	if err != nil {
		return nil, err
	}
	var out []Sample
	for _, m := range memes {
		image := m.Image[strings.LastIndexByte(m.Image, '/')+1:]
		one := Sample{ID: m.ID, Fields: map[string]string{"text": m.Text, "image": image, "id": string(m.ID)}, Reference: formats.Reference{ID: m.ID}}
		if m.Label != nil {
			class := "no"
			if *m.Label == 1 {
				class = "yes"
			}
			one.Fields["class"], one.Reference.Label = class, class
		}
		out = append(out, one)
	}
	return out, nil
}

// readLines reads JSON lines of a user's own task.
func readLines(root string, s Split) ([]Sample, error) {
	lines, err := formats.ReadLines(filepath.Join(root, s.Annotations))
	if err != nil {
		return nil, err
	}
	var out []Sample
	for _, l := range lines {
		one := Sample{ID: l.Reference.ID, Fields: l.Fields, Reference: l.Reference}
		switch {
		case len(l.Reference.Captions) > 0:
			one.Fields["caption"] = strings.TrimSpace(l.Reference.Captions[0])
		case len(l.Reference.Answers) > 0:
			one.Fields["answer"] = l.Reference.Answers[0].Text
		case l.Reference.Label != "":
			one.Fields["class"] = l.Reference.Label
		}
		out = append(out, one)
	}
	return out, nil
}

func repeated(list []string) string {
	seen := map[string]bool{}
	for _, s := range list {
		if seen[s] {
			return s
		}
		seen[s] = true
	}
	return ""
}

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}

package formats

import (
	"bytes"
	"fmt"
	"sort"
	"strings"

	"mmc4/eval/metric/vqa"
)

// Reference is what people said of one example; which fields are set depends on the file.
type Reference struct {
	ID         ID
	Captions   []string
	Answers    []vqa.Answer
	AnswerType string
	Label      string // of a classification: its class
}

// ReadReferences reads references in any of these forms and keeps their order:
//   - COCO captions: {"annotations": [{"image_id", "caption"}]}
//   - VQA annotations: {"annotations": [{"question_id", "answers": [{"answer", ...}]}]}
//   - Karpathy splits: {"images": [{"cocoid" or "filename", "sentences": [{"raw"}], "split"}]}, the test split
//   - a JSON array or JSON lines of {"id" (or image_id, question_id), "references" (or "captions", "answers"), "label"}
func ReadReferences(path string) ([]Reference, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	if trimmed := bytes.TrimLeft(data, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' || isLines(trimmed) {
		return readPlain(path, data)
	}
	if images, _ := member(data, "images"); images != nil {
		if annotations, _ := member(data, "annotations"); annotations == nil {
			return karpathyReferences(path, data)
		}
	}
	annotations, err := listOf[rawAnnotation](path, data, "annotations")
	if err != nil {
		return nil, err
	}
	return gather(path, annotations)
}

// isLines tells JSON lines from one object: the first value ends and another begins.
func isLines(data []byte) bool {
	end := valueEnd(data, 0)
	return end > 0 && (len(bytes.TrimSpace(data[end:])) > 0 || !bytes.Contains(data[:end], []byte(`"annotations"`)) && !bytes.Contains(data[:end], []byte(`"images"`)))
}

// rawAnswer keeps one person's record whole, for comparing records.
type rawAnswer struct {
	vqa.Answer
}

// UnmarshalJSON takes {"answer": ..., anything else} or a bare string.
func (a *rawAnswer) UnmarshalJSON(b []byte) error {
	var err error
	if !isKind(b, '{') {
		a.Text, err = text(b)
		return err
	}
	var id, confidence string
	var others []string
	found := false
	err = members(b, func(key, value []byte) error {
		switch string(key) {
		case "answer":
			found = true
			a.Text, err = text(value)
			return err
		case "answer_id":
			id = string(value)
		case "answer_confidence":
			confidence = string(value)
		default:
			others = append(others, string(key)+"="+string(value))
		}
		return nil
	})
	if err == nil && !found {
		err = fmt.Errorf("an answer without \"answer\": %.80s", b)
	}
	sort.Strings(others)
	a.Rest = id + " " + confidence + strings.Join(others, " ")
	return err
}

// rawAnnotation is one annotation of COCO's captions or of VQA.
type rawAnnotation struct {
	ImageID    *ID
	QuestionID *ID
	Caption    *string
	Answers    []rawAnswer
	AnswerType string
}

// UnmarshalJSON reads the members that count.
func (a *rawAnnotation) UnmarshalJSON(b []byte) error {
	if !isKind(b, '{') {
		return fmt.Errorf("an annotation is an object, not %.80s", b)
	}
	id := func(to **ID, value []byte) error {
		if string(value) == "null" {
			return nil
		}
		*to = new(ID)
		return (*to).UnmarshalJSON(value)
	}
	return members(b, func(key, value []byte) error {
		switch string(key) {
		case "image_id":
			return id(&a.ImageID, value)
		case "question_id":
			return id(&a.QuestionID, value)
		case "caption":
			if string(value) == "null" {
				return nil
			}
			caption, err := text(value)
			a.Caption = &caption
			return err
		case "answer_type":
			if string(value) == "null" {
				return nil
			}
			var err error
			a.AnswerType, err = text(value)
			return err
		case "answers":
			if !isKind(value, '[') {
				return fmt.Errorf("answers are a list, not %.80s", value)
			}
			a.Answers = make([]rawAnswer, 0, 10)
			return items(value, func(one []byte) error {
				a.Answers = append(a.Answers, rawAnswer{})
				return a.Answers[len(a.Answers)-1].UnmarshalJSON(one)
			})
		}
		return nil
	})
}

// gather puts the captions of an image together, in the order in which images first appear.
func gather(path string, annotations []rawAnnotation) ([]Reference, error) {
	var out []Reference
	at := map[ID]int{}
	for i := range annotations {
		a := &annotations[i]
		switch {
		case a.QuestionID != nil:
			if _, again := at[*a.QuestionID]; again {
				return nil, fmt.Errorf("%s: annotation %d: question %s for the second time", path, i, *a.QuestionID)
			}
			at[*a.QuestionID] = len(out)
			r := Reference{ID: *a.QuestionID, AnswerType: a.AnswerType}
			for _, answer := range a.Answers {
				r.Answers = append(r.Answers, answer.Answer)
			}
			out = append(out, r)
		case a.ImageID != nil && a.Caption != nil:
			k, known := at[*a.ImageID]
			if !known {
				k = len(out)
				at[*a.ImageID] = k
				out = append(out, Reference{ID: *a.ImageID})
			}
			out[k].Captions = append(out[k].Captions, *a.Caption)
		default:
			return nil, fmt.Errorf("%s: annotation %d has neither question_id nor image_id and caption", path, i)
		}
	}
	return out, nil
}

func karpathyReferences(path string, data []byte) ([]Reference, error) {
	images, err := listOf[KarpathyImage](path, data, "images")
	if err != nil {
		return nil, err
	}
	var out []Reference
	for i := range images {
		if images[i].Split != "test" {
			continue
		}
		r := Reference{ID: images[i].ID()}
		for _, s := range images[i].Sentences {
			r.Captions = append(r.Captions, s.Raw)
		}
		out = append(out, r)
	}
	return out, nil
}

type rawPlain struct {
	ID         *ID         `json:"id"`
	ImageID    *ID         `json:"image_id"`
	QuestionID *ID         `json:"question_id"`
	References []string    `json:"references"`
	Captions   []string    `json:"captions"`
	Answers    []rawAnswer `json:"answers"`
	AnswerType string      `json:"answer_type"`
	Label      *ID         `json:"label"`
}

func readPlain(path string, data []byte) ([]Reference, error) {
	raw, err := list[rawPlain](path, data, 0, data)
	if err != nil {
		return nil, err
	}
	out := make([]Reference, len(raw))
	seen := map[ID]bool{}
	for i := range raw {
		p := &raw[i]
		r := Reference{Captions: append(p.References, p.Captions...), AnswerType: p.AnswerType}
		switch {
		case p.QuestionID != nil:
			r.ID = *p.QuestionID
		case p.ImageID != nil:
			r.ID = *p.ImageID
		case p.ID != nil:
			r.ID = *p.ID
		default:
			return nil, fmt.Errorf("%s: record %d has none of id, image_id, question_id", path, i)
		}
		if seen[r.ID] {
			return nil, fmt.Errorf("%s: record %d: id %s for the second time", path, i, r.ID)
		}
		seen[r.ID] = true
		for _, answer := range p.Answers {
			r.Answers = append(r.Answers, answer.Answer)
		}
		if p.Label != nil {
			r.Label = string(*p.Label)
		}
		out[i] = r
	}
	return out, nil
}

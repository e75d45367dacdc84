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
	if annotations, ok := quickAnnotations(data); ok {
		return gather(path, annotations)
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
	ImageID    field
	QuestionID field
	Caption    field
	AnswerType field
	Answers    []vqa.Answer
}

// UnmarshalJSON reads the members that count.
func (a *rawAnnotation) UnmarshalJSON(b []byte) error {
	if !isKind(b, '{') {
		return fmt.Errorf("an annotation is an object, not %.80s", b)
	}
	id := func(to *field, value []byte) error {
		if string(value) == "null" {
			return nil
		}
		var id ID
		err := id.UnmarshalJSON(value)
		*to = field{string(id), true}
		return err
	}
	str := func(to *field, value []byte) (err error) {
		if string(value) == "null" {
			return nil
		}
		to.given = true
		to.text, err = text(value)
		return err
	}
	return members(b, func(key, value []byte) error {
		switch string(key) {
		case "image_id":
			return id(&a.ImageID, value)
		case "question_id":
			return id(&a.QuestionID, value)
		case "caption":
			return str(&a.Caption, value)
		case "answer_type":
			return str(&a.AnswerType, value)
		case "answers":
			if !isKind(value, '[') {
				return fmt.Errorf("answers are a list, not %.80s", value)
			}
			a.Answers = make([]vqa.Answer, 0, 10)
			return items(value, func(one []byte) error {
				var answer rawAnswer
				err := answer.UnmarshalJSON(one)
				a.Answers = append(a.Answers, answer.Answer)
				return err
			})
		}
		return nil
	})
}

// gather puts the captions of an image together, in the order in which images first appear.
func gather(path string, annotations []rawAnnotation) ([]Reference, error) {
	out := make([]Reference, 0, len(annotations))
	at := make(map[ID]int, len(annotations))
	for i := range annotations {
		a := &annotations[i]
		question, image := ID(a.QuestionID.text), ID(a.ImageID.text)
		switch {
		case a.QuestionID.given:
			if _, again := at[question]; again {
				return nil, fmt.Errorf("%s: annotation %d: question %s for the second time", path, i, question)
			}
			at[question] = len(out)
			out = append(out, Reference{ID: question, AnswerType: a.AnswerType.text, Answers: a.Answers})
		case a.ImageID.given && a.Caption.given:
			k, known := at[image]
			if !known {
				k = len(out)
				at[image] = k
				out = append(out, Reference{ID: image, Captions: make([]string, 0, 5)})
			}
			out[k].Captions = append(out[k].Captions, a.Caption.text)
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

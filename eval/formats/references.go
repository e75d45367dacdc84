package formats

import (
	"fmt"

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
	r, err := open(path)
	if err != nil {
		return nil, err
	}
	if r.Kind() == '{' {
		out, plain, err := r.official()
		if err == nil && !plain {
			return out, nil
		}
		if r.Reset(r.Text); !plain && !r.isLines() {
			return nil, err
		}
		r.Reset(r.Text)
	}
	return readPlain(r, nil)
}

// official reads a file that is one object with annotations or images; plain says that it is another object.
func (r *reader) official() (out []Reference, plain bool, err error) {
	var all *gathering // the annotations
	images := -1
	r.members(func(name string) {
		switch name {
		case "annotations":
			images := len(r.Text) / 512 // about as many as there are
			all = &gathering{out: make([]Reference, 0, images), at: make(map[ID]int, images)}
			if r.Kind() != '[' {
				r.Fail(`"annotations" is not a list`)
			}
			for r.Enter('['); r.More(']'); {
				var a annotation
				r.annotation(&a)
				all.add(&a)
			}
		case "images":
			images = r.At
			r.Skip()
		default:
			r.Skip()
		}
	})
	if err := r.end(); err != nil {
		return nil, false, err
	}
	switch {
	case all != nil && all.err != nil:
		err = fmt.Errorf("%s: %w", r.path, all.err)
	case all != nil:
		out = all.out
	case images >= 0:
		r.At = images
		out, err = r.karpathyReferences()
	default:
		plain = true
	}
	return out, plain, err
}

// isLines tells JSON lines from one object: the first value ends and another begins.
func (r *reader) isLines() bool {
	r.Skip()
	return r.Kind() != 0
}

// annotation is one annotation of COCO's captions or of VQA.
type annotation struct {
	ImageID    field
	QuestionID field
	Caption    field
	AnswerType string
	Answers    []vqa.Answer
}

func (r *reader) annotation(a *annotation) {
	if !r.Want('{') {
		return
	}
	for r.Enter('{'); r.More('}'); {
		switch string(r.Key()) {
		case "image_id":
			a.ImageID = r.idField()
		case "question_id":
			a.QuestionID = r.idField()
		case "caption":
			a.Caption = r.textField()
		case "answer_type":
			a.AnswerType = r.string()
		case "answers":
			a.Answers = r.answersOf()
		default:
			r.Skip()
		}
	}
}

// gathering puts the captions of an image together, in the order in which images first appear.
type gathering struct {
	out  []Reference
	at   map[ID]int
	last int // where the image of the annotation before is: captions of an image often stand together
	seen int
	err  error
}

func (g *gathering) add(a *annotation) {
	question, image := ID(a.QuestionID.text), ID(a.ImageID.text)
	switch {
	case a.QuestionID.given:
		if _, again := g.at[question]; again {
			g.fail("question %s for the second time", question)
			break
		}
		g.at[question] = len(g.out)
		g.out = append(g.out, Reference{ID: question, AnswerType: a.AnswerType, Answers: a.Answers})
	case a.ImageID.given && a.Caption.given:
		k, known := g.last, g.last < len(g.out) && g.out[g.last].ID == image
		if !known {
			k, known = g.at[image]
		}
		if !known {
			k = len(g.out)
			g.at[image] = k
			g.out = append(g.out, Reference{ID: image, Captions: make([]string, 0, 5)})
		}
		g.last = k
		g.out[k].Captions = append(g.out[k].Captions, a.Caption.text)
	default:
		g.fail("neither question_id nor image_id and caption")
	}
	g.seen++
}

// fail keeps what is wrong with the first annotation that is.
func (g *gathering) fail(format string, args ...any) {
	if g.err == nil {
		g.err = fmt.Errorf("annotation %d: "+format, append([]any{g.seen}, args...)...)
	}
}

func (r *reader) karpathyReferences() ([]Reference, error) {
	images := array(r, r.karpathyImage)
	if r.Err() != nil {
		return nil, r.end()
	}
	var out []Reference
	for i := range images {
		if images[i].Split != "test" {
			continue
		}
		out = append(out, Reference{ID: images[i].ID(), Captions: images[i].Sentences})
	}
	return out, nil
}

// plainRecord is a record of a user's own file.
type plainRecord struct {
	id, imageID, questionID field
	references, captions    []string
	answers                 []vqa.Answer
	answerType              string
	label                   field
	fields                  map[string]string // all members that are strings or numbers
}

// readPlain reads an array or JSON lines; each is called with the fields of every record, if it is not nil.
func readPlain(r *reader, each func(fields map[string]string)) ([]Reference, error) {
	records, err := records(r, func(p *plainRecord) {
		if each != nil {
			p.fields = map[string]string{}
		}
		r.plainRecord(p)
		if each != nil {
			each(p.fields)
		}
	})
	if err != nil {
		return nil, err
	}
	out := make([]Reference, len(records))
	seen := map[ID]bool{}
	for i := range records {
		p := &records[i]
		id := firstGiven([]field{p.questionID, p.imageID, p.id})
		if !id.given {
			return nil, fmt.Errorf("%s: record %d has none of id, image_id, question_id", r.path, i)
		}
		out[i] = Reference{ID: ID(id.text), Captions: append(p.references, p.captions...), Answers: p.answers, AnswerType: p.answerType, Label: p.label.text}
		if seen[out[i].ID] {
			return nil, fmt.Errorf("%s: record %d: id %s for the second time", r.path, i, out[i].ID)
		}
		seen[out[i].ID] = true
	}
	return out, nil
}

func (r *reader) plainRecord(p *plainRecord) {
	r.members(func(name string) {
		if p.fields != nil {
			r.field(p.fields, name)
		}
		switch name {
		case "id":
			p.id = r.idField()
		case "image_id":
			p.imageID = r.idField()
		case "question_id":
			p.questionID = r.idField()
		case "references":
			p.references = r.strings()
		case "captions":
			p.captions = r.strings()
		case "answers":
			p.answers = r.answersOf()
		case "answer_type":
			p.answerType = r.string()
		case "label":
			p.label = r.idField()
		default:
			r.Skip()
		}
	})
}

// field keeps a value that is a string or a number, and stays before it.
func (r *reader) field(fields map[string]string, name string) {
	switch kind, at := r.Kind(), r.At; {
	case kind == '"' || kind == '-' || '0' <= kind && kind <= '9':
		fields[name] = string(r.id())
		r.At = at
	default:
		delete(fields, name)
	}
}

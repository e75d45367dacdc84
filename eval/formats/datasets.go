package formats

import (
	"fmt"
	"strconv"
	"strings"

	"mmc4/eval/metric/vqa"
)

// KarpathyImage is one image of a Karpathy split (dataset_coco.json, dataset_flickr30k.json).
type KarpathyImage struct {
	FilePath  string // COCO: train2014 or val2014
	FileName  string
	Split     string
	COCOID    *ID
	Sentences []string
}

// ID is the COCO id, or the file's name without its ending.
func (k *KarpathyImage) ID() ID {
	if k.COCOID != nil {
		return *k.COCOID
	}
	name, _, _ := strings.Cut(k.FileName, ".")
	return ID(name)
}

// ReadKarpathy reads a Karpathy split file.
func ReadKarpathy(path string) ([]KarpathyImage, error) {
	r, err := open(path)
	if err != nil {
		return nil, err
	}
	images, err := recordsUnder(r, "images", r.karpathyImage)
	if err != nil {
		return nil, err
	}
	for i := range images {
		if images[i].FileName == "" || len(images[i].Sentences) == 0 {
			return nil, fmt.Errorf("%s: image %d has no filename or no sentences", path, i)
		}
	}
	return images, nil
}

func (r *reader) karpathyImage(k *KarpathyImage) {
	r.members(func(name string) {
		switch name {
		case "filepath":
			k.FilePath = r.string()
		case "filename":
			k.FileName = r.string()
		case "split":
			k.Split = r.string()
		case "cocoid":
			k.COCOID = nil
			if id := r.idField(); id.given {
				k.COCOID = (*ID)(&id.text)
			}
		case "sentences":
			k.Sentences = nil
			if r.Want('[') {
				k.Sentences = array(r, r.sentence)
			}
		default:
			r.Skip()
		}
	})
}

func (r *reader) sentence(to *string) {
	r.members(func(name string) {
		if name == "raw" {
			*to = r.string()
		} else {
			r.Skip()
		}
	})
}

// Question is one question of a VQA questions file or of a TextVQA file.
type Question struct {
	QuestionID ID
	ImageID    ID
	Question   string
	Answers    []string // TextVQA's, absent in its test set; VQA has them in another file
}

// People are its answers, each by another person.
func (q *Question) People() []vqa.Answer {
	out := make([]vqa.Answer, len(q.Answers))
	for i, a := range q.Answers {
		out[i] = vqa.Answer{Text: a, Rest: strconv.Itoa(i)}
	}
	return out
}

// ReadQuestions reads VQA's {"questions": [...]}.
func ReadQuestions(path string) ([]Question, error) { return readQuestions(path, "questions", false) }

// ReadTextVQA reads {"data": [...]}.
func ReadTextVQA(path string) ([]Question, error) { return readQuestions(path, "data", true) }

func readQuestions(path, under string, answered bool) ([]Question, error) {
	r, err := open(path)
	if err != nil {
		return nil, err
	}
	questions, err := recordsUnder(r, under, func(q *Question) {
		r.members(func(name string) {
			switch {
			case name == "question_id":
				q.QuestionID = r.id()
			case name == "image_id":
				q.ImageID = r.id()
			case name == "question":
				q.Question = r.string()
			case name == "answers" && answered:
				q.Answers = r.strings()
			default:
				r.Skip()
			}
		})
	})
	if err != nil {
		return nil, err
	}
	for i, q := range questions {
		if q.QuestionID == "" || q.ImageID == "" {
			return nil, fmt.Errorf("%s: question %d has no question_id or no image_id", path, i)
		}
	}
	return questions, nil
}

// Meme is one line of a HatefulMemes file. Label is nil in unlabelled sets.
type Meme struct {
	ID    ID
	Image string
	Text  string
	Label *int
}

// ReadMemes reads HatefulMemes JSON lines.
func ReadMemes(path string) ([]Meme, error) {
	r, err := open(path)
	if err != nil {
		return nil, err
	}
	memes, err := records(r, func(m *Meme) {
		r.members(func(name string) {
			switch name {
			case "id":
				m.ID = r.id()
			case "img":
				m.Image = r.string()
			case "text":
				m.Text = r.string()
			case "label":
				m.Label = r.class()
			default:
				r.Skip()
			}
		})
	})
	if err != nil {
		return nil, err
	}
	for i, m := range memes {
		if m.ID == "" || m.Image == "" {
			return nil, fmt.Errorf("%s: line %d has no id or no img", path, i+1)
		}
	}
	return memes, nil
}

// class reads a whole number; null is none.
func (r *reader) class() *int {
	if !r.Want('0') {
		return nil
	}
	at := r.At
	n, ok := r.Int()
	if !ok {
		r.FailAt(at, "a label is a whole number")
	}
	class := int(n)
	return &class
}

// BlindQuestion is one question of a VizWiz file; its picture is its id.
type BlindQuestion struct {
	Image      string
	Question   string
	Answers    []vqa.Answer // absent in the test set; without ids, so equal ones with equal confidence cannot be told apart
	AnswerType string
}

// ReadVizWiz reads a JSON array of questions.
func ReadVizWiz(path string) ([]BlindQuestion, error) {
	r, err := open(path)
	if err != nil {
		return nil, err
	}
	out, err := records(r, func(q *BlindQuestion) {
		r.members(func(name string) {
			switch name {
			case "image":
				q.Image = r.string()
			case "question":
				q.Question = r.string()
			case "answers":
				q.Answers = r.answersOf()
			case "answer_type":
				q.AnswerType = r.string()
			default:
				r.Skip()
			}
		})
	})
	if err != nil {
		return nil, err
	}
	for i := range out {
		if out[i].Image == "" {
			return nil, fmt.Errorf("%s: question %d has no image", path, i)
		}
	}
	return out, nil
}

// Line is one example of a user's own data set.
type Line struct {
	Reference Reference
	Fields    map[string]string // all its members that are strings or numbers
}

// ReadLines reads JSON lines (or an array) of objects with an id, any fields, and references, captions, answers or label.
func ReadLines(path string) ([]Line, error) {
	r, err := open(path)
	if err != nil {
		return nil, err
	}
	var fields []map[string]string
	references, err := readPlain(r, func(of map[string]string) { fields = append(fields, of) })
	if err != nil {
		return nil, err
	}
	out := make([]Line, len(references))
	for i := range references {
		out[i] = Line{references[i], fields[i]}
	}
	return out, nil
}

package formats

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"mmc4/eval/metric/vqa"
)

// KarpathyImage is one image of a Karpathy split (dataset_coco.json, dataset_flickr30k.json).
type KarpathyImage struct {
	FilePath  string `json:"filepath"` // COCO: train2014 or val2014
	FileName  string `json:"filename"`
	Split     string `json:"split"`
	COCOID    *ID    `json:"cocoid"`
	Sentences []struct {
		Raw string `json:"raw"`
	} `json:"sentences"`
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
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	images, err := listOf[KarpathyImage](path, data, "images")
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

// Question is one question of a VQA questions file.
type Question struct {
	QuestionID ID     `json:"question_id"`
	ImageID    ID     `json:"image_id"`
	Question   string `json:"question"`
}

// ReadQuestions reads {"questions": [...]}.
func ReadQuestions(path string) ([]Question, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	questions, err := listOf[Question](path, data, "questions")
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
	ID    ID     `json:"id"`
	Image string `json:"img"`
	Text  string `json:"text"`
	Label *int   `json:"label"`
}

// ReadMemes reads HatefulMemes JSON lines.
func ReadMemes(path string) ([]Meme, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	memes, err := list[Meme](path, data, 0, data)
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

// TextQuestion is one question of a TextVQA file.
type TextQuestion struct {
	QuestionID ID       `json:"question_id"`
	ImageID    ID       `json:"image_id"`
	Question   string   `json:"question"`
	Answers    []string `json:"answers"` // absent in the test set
}

// People are its answers, each by another person.
func (q *TextQuestion) People() []vqa.Answer {
	out := make([]vqa.Answer, len(q.Answers))
	for i, a := range q.Answers {
		out[i] = vqa.Answer{Text: a, Rest: strconv.Itoa(i)}
	}
	return out
}

// ReadTextVQA reads {"data": [...]}.
func ReadTextVQA(path string) ([]TextQuestion, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	list, err := listOf[TextQuestion](path, data, "data")
	if err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].QuestionID == "" || list[i].ImageID == "" {
			return nil, fmt.Errorf("%s: question %d has no question_id or no image_id", path, i)
		}
	}
	return list, nil
}

// BlindQuestion is one question of a VizWiz file; its picture is its id.
type BlindQuestion struct {
	Image      string      `json:"image"`
	Question   string      `json:"question"`
	Answers    []rawAnswer `json:"answers"` // absent in the test set
	AnswerType string      `json:"answer_type"`
}

// People are its answers. They carry no ids, so equal answers with equal confidence cannot be told apart.
func (q *BlindQuestion) People() []vqa.Answer {
	out := make([]vqa.Answer, len(q.Answers))
	for i, a := range q.Answers {
		out[i] = a.Answer
	}
	return out
}

// ReadVizWiz reads a JSON array of questions.
func ReadVizWiz(path string) ([]BlindQuestion, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	out, err := list[BlindQuestion](path, data, 0, data)
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
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	references, err := readPlain(path, data)
	if err != nil {
		return nil, err
	}
	objects, err := list[map[string]json.RawMessage](path, data, 0, data)
	if err != nil {
		return nil, err
	}
	out := make([]Line, len(references))
	for i := range references {
		out[i] = Line{references[i], map[string]string{}}
		for key, value := range objects[i] {
			var id ID
			if id.UnmarshalJSON(value) == nil {
				out[i].Fields[key] = string(id)
			}
		}
	}
	return out, nil
}

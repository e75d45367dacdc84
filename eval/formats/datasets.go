package formats

import (
	"fmt"
	"strings"
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

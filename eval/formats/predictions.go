package formats

import (
	"encoding/json"
	"fmt"
)

// Prediction is what a model said of one example.
type Prediction struct {
	ID    ID
	Text  string
	Score float64 // for AUC: how much the model holds for the positive class
	Bad   string  // why this record cannot be used, "" when it can
}

// rawPrediction is any of the ways in which people write predictions down.
type rawPrediction struct {
	ImageID    *ID `json:"image_id"`
	QuestionID *ID `json:"question_id"`
	Other      *ID `json:"id"`

	Caption    *string      `json:"caption"`
	Answer     *string      `json:"answer"`
	Prediction *string      `json:"prediction"`
	Label      *ID          `json:"label"` // a class is named by a number or a word
	Score      *json.Number `json:"score"`
	Proba      *json.Number `json:"proba"` // HatefulMemes submissions
}

// ReadPredictions reads a JSON array or JSON lines of objects with an id (question_id, image_id or id) and what was
// predicted (caption, answer, prediction or label; score or proba).
func ReadPredictions(path string) ([]Prediction, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	raw, err := list[rawPrediction](path, data, 0, data)
	if err != nil {
		return nil, err
	}
	out := make([]Prediction, len(raw))
	for i := range raw {
		out[i] = raw[i].prediction(i)
	}
	return out, nil
}

func (r *rawPrediction) prediction(i int) Prediction {
	var p Prediction
	switch {
	case r.QuestionID != nil:
		p.ID = *r.QuestionID
	case r.ImageID != nil:
		p.ID = *r.ImageID
	case r.Other != nil:
		p.ID = *r.Other
	default:
		p.Bad = fmt.Sprintf("record %d has none of question_id, image_id, id", i)
		return p
	}
	text := true
	switch {
	case r.Caption != nil:
		p.Text = *r.Caption
	case r.Answer != nil:
		p.Text = *r.Answer
	case r.Prediction != nil:
		p.Text = *r.Prediction
	case r.Label != nil:
		p.Text = string(*r.Label)
	default:
		text = false
	}
	score := r.Score
	if score == nil {
		score = r.Proba
	}
	if score != nil {
		f, err := score.Float64()
		if err != nil {
			p.Bad = fmt.Sprintf("record %d (id %s): score %s is no number", i, p.ID, *score)
		}
		p.Score = f
	} else if !text {
		p.Bad = fmt.Sprintf("record %d (id %s) has none of caption, answer, prediction, label, score", i, p.ID)
	}
	return p
}

package formats

import (
	"encoding/json"
	"fmt"
	"strconv"
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
	if out, ok := quickPredictions(data); ok {
		return out, nil
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

// field is a member that a record may have.
type field struct {
	text  string
	given bool
}

// predictionFields are the members of a record, the ones that go before others first.
type predictionFields struct {
	ids    [3]field
	texts  [4]field
	scores [2]field
}

func (r *rawPrediction) prediction(i int) Prediction {
	var f predictionFields
	for k, id := range []*ID{r.QuestionID, r.ImageID, r.Other} {
		if id != nil {
			f.ids[k] = field{string(*id), true}
		}
	}
	for k, text := range []*string{r.Caption, r.Answer, r.Prediction, (*string)(r.Label)} {
		if text != nil {
			f.texts[k] = field{*text, true}
		}
	}
	for k, score := range []*json.Number{r.Score, r.Proba} {
		if score != nil {
			f.scores[k] = field{string(*score), true}
		}
	}
	return f.prediction(i)
}

func (f *predictionFields) prediction(i int) Prediction {
	id, text, score := firstGiven(f.ids[:]), firstGiven(f.texts[:]), firstGiven(f.scores[:])
	p := Prediction{ID: ID(id.text), Text: text.text}
	switch {
	case !id.given:
		return Prediction{Bad: fmt.Sprintf("record %d has none of question_id, image_id, id", i)}
	case score.given:
		var err error
		if p.Score, err = strconv.ParseFloat(score.text, 64); err != nil {
			p.Bad = fmt.Sprintf("record %d (id %s): score %s is no number", i, p.ID, score.text)
		}
	case !text.given:
		p.Bad = fmt.Sprintf("record %d (id %s) has none of caption, answer, prediction, label, score", i, p.ID)
	}
	return p
}

func firstGiven(fields []field) field {
	for _, f := range fields {
		if f.given {
			return f
		}
	}
	return field{}
}

package formats

import (
	"fmt"
	"strconv"
)

// Prediction is what a model said of one example.
type Prediction struct {
	ID    ID
	Text  string
	Score float64 // for AUC: how much the model holds for the positive class
	Bad   string  // why this record cannot be used, "" when it can

	NoText, NoScore bool // what the record does not have: a metric that needs it cannot use the record
}

// ReadPredictions reads a JSON array or JSON lines of objects with an id (question_id, image_id or id) and what was
// predicted (caption, answer, prediction or label; score or proba).
func ReadPredictions(path string) ([]Prediction, error) {
	r, err := open(path)
	if err != nil {
		return nil, err
	}
	return r.predictions()
}

func (r *reader) predictions() ([]Prediction, error) {
	n := 0
	return records(r, func(p *Prediction) {
		*p = r.prediction(n)
		n++
	})
}

// predictionFields are the members of a record, the ones that go before others first.
type predictionFields struct {
	ids    [3]field
	texts  [4]field
	scores [2]field
}

// prediction reads any of the ways in which people write predictions down.
func (r *reader) prediction(i int) Prediction {
	var f predictionFields
	if r.Want('{') {
		for r.Enter('{'); r.More('}'); {
			switch string(r.Key()) {
			case "question_id":
				f.ids[0] = r.idField()
			case "image_id":
				f.ids[1] = r.idField()
			case "id":
				f.ids[2] = r.idField()
			case "caption":
				f.texts[0] = r.textField()
			case "answer":
				f.texts[1] = r.textField()
			case "prediction":
				f.texts[2] = r.textField()
			case "label": // a class is named by a number or a word
				f.texts[3] = r.idField()
			case "score":
				f.scores[0] = r.scoreField()
			case "proba": // submissions to HatefulMemes
				f.scores[1] = r.scoreField()
			default:
				r.Skip()
			}
		}
	}
	return f.prediction(i)
}

func (f *predictionFields) prediction(i int) Prediction {
	id, text, score := firstGiven(f.ids[:]), firstGiven(f.texts[:]), firstGiven(f.scores[:])
	p := Prediction{ID: ID(id.text), Text: text.text, NoText: !text.given, NoScore: !score.given}
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

package formats

// The quick way through the official formats, which nearly all files are in: one pass, and strings that are pieces of the
// file's text. It gives up what is unusual, wrong or missing, and encoding/json (json.go, references.go, predictions.go) reads
// the file instead, with the same result for whatever both can read.

import (
	"slices"
	"strings"
	"unsafe"

	"mmc4/eval/metric/vqa"
	"mmc4/internal/jsonscan"
)

type quickReader struct {
	jsonscan.Scanner
	text    string       // the file
	answers []vqa.Answer // room for answers of many questions
	gaps    []string     // what stood before the values of a question's first answer
}

// newQuickReader reads data, which must not change any more: strings are pieces of it.
func newQuickReader(data []byte) *quickReader {
	return &quickReader{Scanner: jsonscan.Scanner{Text: data}, text: unsafe.String(unsafe.SliceData(data), len(data))}
}

// whole reports whether nothing but white space is left.
func (q *quickReader) whole() bool {
	q.Space()
	return q.At == len(q.Text)
}

// fields reads an object with a function that is called for every key and reads its value; a key written with escapes is
// given up.
func (q *quickReader) fields(value func(key []byte) bool) bool {
	return q.Object(func(key []byte) bool { return len(q.Chars) == 0 && value(key) })
}

func (q *quickReader) string() (string, bool) {
	b, ok := q.Str()
	if len(q.Chars) > 0 { // escapes
		s := string(b)
		q.Chars = q.Chars[:0]
		return s, ok
	}
	end := q.At - 1
	return q.text[end-len(b) : end], ok
}

func (q *quickReader) id() (ID, bool) {
	q.Space()
	if q.At < len(q.Text) && q.Text[q.At] == '"' {
		s, ok := q.string()
		return ID(s), ok
	}
	s, ok := q.number()
	return ID(s), ok
}

// number reads a number as it is written.
func (q *quickReader) number() (string, bool) {
	q.Space()
	start := q.At
	_, ok := q.Numeral()
	return q.text[start:q.At], ok
}

// skipped reads any value; strings in it leave nothing behind.
func (q *quickReader) skipped() bool {
	ok := q.Skip(0)
	q.Chars = q.Chars[:0]
	return ok
}

// quickPredictions is ReadPredictions for an array of plain objects.
func quickPredictions(data []byte) ([]Prediction, bool) {
	q := newQuickReader(data)
	out := make([]Prediction, 0, len(data)/64)
	var r predictionFields
	ok := q.List(func() bool {
		r = predictionFields{}
		ok := q.fields(func(key []byte) bool {
			var to *field
			switch string(key) {
			case "question_id":
				to = &r.ids[0]
			case "image_id":
				to = &r.ids[1]
			case "id":
				to = &r.ids[2]
			case "caption":
				to = &r.texts[0]
			case "answer":
				to = &r.texts[1]
			case "prediction":
				to = &r.texts[2]
			case "label":
				to = &r.texts[3]
			case "score":
				to = &r.scores[0]
			case "proba":
				to = &r.scores[1]
			default:
				return q.skipped()
			}
			again, ok := to.given, false
			switch to.given = true; string(key) {
			case "caption", "answer", "prediction":
				to.text, ok = q.string()
			case "score", "proba":
				to.text, ok = q.number()
			default:
				var id ID
				id, ok = q.id()
				to.text = string(id)
			}
			return ok && !again
		})
		out = append(out, r.prediction(len(out)))
		return ok
	})
	return out, ok && q.whole()
}

// quickAnnotations reads the annotations of a file of COCO's captions or VQA.
func quickAnnotations(data []byte) ([]rawAnnotation, bool) {
	q := newQuickReader(data)
	var out []rawAnnotation
	found := false
	ok := q.fields(func(key []byte) bool {
		if string(key) != "annotations" {
			return q.skipped()
		}
		if found {
			return false
		}
		found = true
		out = make([]rawAnnotation, 0, len(data)/256+16)
		return q.List(func() bool {
			out = append(out, rawAnnotation{})
			return q.annotation(&out[len(out)-1])
		})
	})
	return out, ok && found && q.whole()
}

func (q *quickReader) annotation(a *rawAnnotation) bool {
	once := func(to *field) bool {
		again := to.given
		to.given = true
		return !again
	}
	return q.fields(func(key []byte) (ok bool) {
		switch string(key) {
		case "image_id", "question_id":
			to := &a.ImageID
			if key[0] == 'q' {
				to = &a.QuestionID
			}
			var id ID
			id, ok = q.id()
			to.text = string(id)
			return ok && once(to)
		case "caption":
			a.Caption.text, ok = q.string()
			return ok && once(&a.Caption)
		case "answer_type":
			a.AnswerType.text, ok = q.string()
			return ok && once(&a.AnswerType)
		case "answers":
			again := a.Answers != nil
			a.Answers, ok = q.people()
			return ok && !again
		}
		return q.skipped()
	})
}

// people reads the answers to a question. What stands beside an answer, one piece of text, tells people apart as well as its
// members do when all have the same members in the same order, which is given up otherwise.
func (q *quickReader) people() ([]vqa.Answer, bool) {
	const room = 1 << 12
	if cap(q.answers)-len(q.answers) < 64 {
		q.answers = make([]vqa.Answer, 0, room)
	}
	from := len(q.answers)
	ok := q.List(func() bool {
		q.answers = append(q.answers, vqa.Answer{})
		return q.person(&q.answers[len(q.answers)-1], len(q.answers)-1 == from)
	})
	return q.answers[from:len(q.answers):len(q.answers)], ok
}

func (q *quickReader) person(a *vqa.Answer, first bool) bool {
	if first {
		q.gaps = q.gaps[:0]
	}
	q.Space()
	end, count, answer := q.At, 0, -1 // of the value before, of values, which of them is the answer
	var from, to int                  // of the values beside the answer
	ok := q.fields(func(key []byte) (ok bool) {
		q.Space()
		gap, start := q.text[end:q.At], q.At
		switch {
		case first && slices.ContainsFunc(q.gaps, func(g string) bool { return keyOf(g) == keyOf(gap) }):
			return false
		case first:
			q.gaps = append(q.gaps, gap)
		case count == len(q.gaps) || q.gaps[count] != gap:
			return false
		}
		if string(key) == "answer" {
			answer = count
			a.Text, ok = q.string()
		} else {
			if from == 0 {
				from = start
			}
			ok = q.skipped()
			to = q.At
		}
		count++
		end = q.At
		return ok
	})
	a.Rest = q.text[from:to]
	return ok && (answer == 0 || answer == count-1) && count == len(q.gaps)
}

// keyOf is the key that ends a gap, or a beginning of it.
func keyOf(gap string) string {
	key, _, _ := strings.Cut(strings.TrimLeft(gap, "{, \t\r\n"), ":")
	return key
}

package formats

// The answers of people to a question, of which VQA files have millions. People are told apart by all that stands beside their
// answers.

import (
	"slices"
	"sort"
	"strings"

	"mmc4/eval/metric/vqa"
)

// people is what reading answers needs to know.
type people struct {
	answers []vqa.Answer // room for answers of many questions
	gaps    []string     // what stood before the values of a question's first answer
}

// answersOf reads a list of {"answer": ..., anything else} or bare strings.
//
// What stands beside an answer, one piece of text, tells people apart as well as its members do when all have the same members
// in the same order; otherwise the list is read again, member by member.
func (r *reader) answersOf() []vqa.Answer {
	if !r.Want('[') {
		return nil
	}
	const room = 1 << 12
	if cap(r.answers)-len(r.answers) < 64 {
		r.answers = make([]vqa.Answer, 0, room)
	}
	start, from := r.At, len(r.answers)
	for _, read := range []func(first bool) (vqa.Answer, bool){r.alike, r.person} {
		r.At, r.answers = start, r.answers[:from]
		good := true
		for r.Enter('['); r.More(']'); {
			answer, ok := read(len(r.answers) == from)
			r.answers = append(r.answers, answer)
			good = good && ok
		}
		if good {
			break
		}
	}
	return r.answers[from:len(r.answers):len(r.answers)]
}

// person reads an answer with its other members in an order of their own.
func (r *reader) person(bool) (a vqa.Answer, ok bool) {
	if r.Kind() == '"' {
		a.Text = r.string()
		return a, true
	}
	at, found := r.At, false
	var others []string
	r.members(func(name string) {
		if name == "answer" {
			found = true
			a.Text = r.string()
		} else {
			others = append(others, name+"="+string(r.Raw()))
		}
	})
	if !found {
		r.FailAt(at, `an answer without "answer"`)
	}
	sort.Strings(others)
	a.Rest = strings.Join(others, " ")
	return a, true
}

// alike reads an answer that is written as the first one of its question.
func (r *reader) alike(first bool) (a vqa.Answer, ok bool) {
	if first {
		r.gaps = r.gaps[:0]
	}
	if r.Kind() != '{' {
		r.Skip()
		return a, false
	}
	end, count, answer := r.At, 0, -1 // of the value before, of values, which of them is the answer
	var from, to int                  // of the values beside the answer
	ok = true
	for r.Enter('{'); r.More('}'); count++ {
		isAnswer := string(r.Key()) == "answer"
		kind, start := r.Kind(), r.At
		gap := r.Piece(end, start)
		switch {
		case !first:
			ok = ok && count < len(r.gaps) && r.gaps[count] == gap
		case slices.ContainsFunc(r.gaps, func(g string) bool { return keyOf(g) == keyOf(gap) }):
			ok = false
		default:
			r.gaps = append(r.gaps, gap)
		}
		if isAnswer && kind == '"' {
			answer = count
			a.Text = r.string()
		} else {
			if from == 0 {
				from = start
			}
			r.Skip()
			to = r.At
		}
		end = r.At
	}
	if r.Err() != nil {
		return a, true
	}
	a.Rest = r.Piece(from, to)
	return a, ok && count == len(r.gaps) && answer >= 0 && (answer == 0 || answer == count-1)
}

// keyOf is the key that ends a gap, or a beginning of it.
func keyOf(gap string) string {
	key, _, _ := strings.Cut(strings.TrimLeft(gap, "{, \t\r\n"), ":")
	return key
}

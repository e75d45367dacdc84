package ptb

import (
	"sync"
	"unicode/utf8"
)

// scanner is the compiled table.
type scanner struct {
	rules []rule
	all   *automaton
	parts []func() [2]*automaton // of rules with something behind: the token alone, and what stands behind it alone
}

// The table is compiled twice. Nearly all captions are ASCII, and the classes of characters beyond it are most of the work.
var (
	asciiScanner = sync.OnceValue(func() *scanner { return newScanner(utf8.RuneSelf) })
	fullScanner  = sync.OnceValue(func() *scanner { return newScanner(planeSize) })
)

// newScanner compiles the rules for characters below a limit.
func newScanner(limit rune) *scanner {
	s := &scanner{rules: rules(limit)}
	var exprs []string
	for _, r := range s.rules {
		expr := "(?:" + r.token + ")"
		if r.next != "" {
			expr += "(?:" + r.next + ")"
		}
		exprs = append(exprs, expr)
		s.parts = append(s.parts, sync.OnceValue(func() [2]*automaton {
			return [2]*automaton{newAutomaton([]string{r.token}, limit), newAutomaton([]string{r.next}, limit)}
		}))
	}
	s.all = newAutomaton(exprs, limit)
	return s
}

// next reads one token at the beginning of the text: what is printed for it, how many bytes it took, what it was, and whether
// more text than there is might have changed that. Characters that no rule knows are skipped.
func next(text string) (token string, size int, do *action, more bool) {
	token, size, do, more, known := asciiScanner().next(text)
	if !known {
		token, size, do, more, _ = fullScanner().next(text)
	}
	return token, size, do, more
}

// next is not known when characters beyond the scanner's limit decide.
func (s *scanner) next(text string) (token string, size int, do *action, more, known bool) {
	which, seen, more, known := s.all.longest(text)
	if !known {
		return "", 0, nil, false, false
	}
	if which < 0 {
		_, size = utf8.DecodeRuneInString(text)
		return "", size, &skip, more, true
	}
	r := &s.rules[which]
	size = seen
	if r.next != "" {
		size = s.headOf(which, text[:seen])
	}
	token = text[:size]
	do = &r.do
	switch {
	case do.leave > 0: // characters of these words are single bytes
		size -= do.leave
		return text[:size], size, do, more, true
	case do.again:
		return token, size - 1, do, more, true
	case do.acronym:
		if len(token) == 2 {
			return token[:1], 1, do, more, true
		}
		return token, size - 1, do, more, true
	case do.form != nil:
		return do.form(token), size, do, more, true
	}
	return token, size, do, more, true
}

// headOf is the length of the token when rule and what follows it match all of seen: the longest that leaves a rest
// which may follow. White space at its end belongs to what follows.
func (s *scanner) headOf(which int, seen string) int {
	parts := s.parts[which]()
	ends := parts[0].ends(seen)
	for i := len(ends) - 1; i >= 0; i-- {
		rest := seen[ends[i]:]
		for _, n := range parts[1].ends(rest) {
			if n == len(rest) {
				return ends[i]
			}
		}
	}
	return len(seen)
}

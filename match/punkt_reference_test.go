package match

import (
	"strings"
	"unicode"
)

// This file is the splitter written down plainly, rune by rune, after the description of NLTK's: contexts are found by
// looking at every mark, every context is cut into words and all of them are annotated. It allocates at will.

type refToken struct {
	text                       string
	isBreak, isAbbr, isElipsis bool
}

func (t refToken) typ() string {
	if isNumber(t.text) {
		return number
	}
	return refLower(t.text)
}

func refLower(s string) string {
	return strings.Map(unicode.ToLower, strings.ReplaceAll(s, "İ", "i̇"))
}

func refNoPeriod(s string) string {
	if len(s) > 1 {
		return strings.TrimSuffix(s, ".")
	}
	return s
}

func refSpace(r rune) bool {
	return unicode.Is(unicode.White_Space, r) || r >= 0x1c && r <= 0x1f
}

const (
	refNonWord = `)";}]*:@'({[?!`
	refNoStart = "(\"`{[:;&#*@)}]-,"
)

// refRepeated is the length of a multi-character punctuation mark at the start of s.
func refRepeated(s []rune) int {
	for _, c := range "-." {
		n := 0
		for n < len(s) && s[n] == c {
			n++
		}
		if n >= 2 {
			return n
		}
	}
	n := 0
	for 2*n < len(s) && s[2*n] == '.' && (n == 0 || refSpace(s[2*n-1]) && s[2*n-1] != '\n') {
		n++
	}
	if n >= 3 {
		return 2*n - 1
	}
	return 0
}

func refEnds(s []rune) bool {
	if len(s) == 0 || refSpace(s[0]) || strings.ContainsRune(refNonWord, s[0]) || refRepeated(s) > 0 {
		return true
	}
	return s[0] == ',' && (len(s) == 1 || s[1] != ',' && refEnds(s[1:]))
}

func refWords(s []rune) (tokens []refToken) {
	for len(s) > 0 {
		n := 1
		switch {
		case refSpace(s[0]):
			s = s[1:]
			continue
		case refRepeated(s) > 0:
			n = refRepeated(s)
		case !strings.ContainsRune(refNoStart, s[0]):
			for !refEnds(s[n:]) {
				n++
			}
		}
		tokens = append(tokens, refToken{text: string(s[:n])})
		s = s[n:]
	}
	return tokens
}

func refHoldsBreak(p *punktParams, s []rune) bool {
	tokens := refWords(s)
	for i := range tokens {
		t := &tokens[i]
		body, final := strings.CutSuffix(t.text, ".")
		switch {
		case t.text == "." || t.text == "?" || t.text == "!":
			t.isBreak = true
		case len(t.text) > 1 && strings.Trim(t.text, ".") == "":
			t.isElipsis = true
		case final && !strings.HasSuffix(body, "."):
			parts := strings.Split(refLower(body), "-")
			t.isAbbr = (p.words[refLower(body)]|p.words[parts[len(parts)-1]])&abbreviation != 0
			t.isBreak = !t.isAbbr
		}
	}
	for i := 0; i+1 < len(tokens); i++ {
		refSecondPass(p, &tokens[i], tokens[i+1])
		if tokens[i].isBreak {
			return true
		}
	}
	return false
}

func refSecondPass(p *punktParams, t *refToken, next refToken) {
	if !strings.HasSuffix(t.text, ".") {
		return
	}
	typ, nextTyp := refNoPeriod(t.typ()), next.typ()
	if next.isBreak {
		nextTyp = refNoPeriod(nextTyp)
	}
	head := []rune(next.text)[0]
	upper, lower := isUpper(head), isLower(head)
	seen := p.words[nextTyp]
	starts := unknown
	switch {
	case strings.Contains(";:,.!?", next.text):
		starts = no
	case upper && seen&anyLower != 0 && seen&midUpper == 0:
		starts = yes
	case lower && (seen&anyUpper != 0 || seen&begLower == 0):
		starts = no
	}
	initial := isInitial(t.text)
	switch {
	case p.collocations[[2]string{typ, nextTyp}]:
		t.isBreak = false
	case (t.isAbbr || t.isElipsis) && !initial && (starts == yes || upper && seen&starter != 0):
		t.isBreak = true
	case (initial || typ == number) && (starts == no || starts == unknown && initial && upper && seen&anyLower == 0):
		t.isBreak = false
	}
}

func referenceSentences(text string) (sentences []string) {
	s := []rune(text)
	type cut struct{ end, next int }
	var cuts []cut
	var word, pending [2]int
	havePending, pendingNext, pendingEnd := false, 0, 0
	flush := func() {
		if havePending && refHoldsBreak(english(), s[pending[0]:pendingEnd]) {
			cuts = append(cuts, cut{pending[1] + 1, pendingNext})
		}
	}
	for at, c := range s {
		if c != '.' && c != '?' && c != '!' || at+1 == len(s) {
			continue
		}
		next, end := at+1, at+2
		if !strings.ContainsRune(refNonWord, s[at+1]) {
			for next < len(s) && refSpace(s[next]) {
				next++
			}
			if next == at+1 || next == len(s) {
				continue
			}
			for end = next; end < len(s) && !refSpace(s[end]); end++ {
			}
		}
		from := word[0]
		for k := word[1] + 1; k < at; k++ {
			if strings.ContainsRune(" \t\n\r\v\f", s[k]) {
				from = k + 1
			}
		}
		if word[1] <= from {
			flush()
		}
		word = [2]int{from, at}
		havePending, pending, pendingNext, pendingEnd = true, word, next, end
	}
	flush()

	trimmed := len([]rune(strings.TrimRightFunc(text, refSpace)))
	start, skip := 0, 0
	for i := 0; i <= len(cuts); i++ {
		end, next := trimmed, trimmed
		if i < len(cuts) {
			end, next = cuts[i].end, cuts[i].next
		}
		from := start + skip
		skip = 0
		if i < len(cuts) {
			pieceEnd := trimmed
			if i+1 < len(cuts) {
				pieceEnd = cuts[i+1].end
			}
			piece := s[next:pieceEnd]
			n := 0
			for n < len(piece) && strings.ContainsRune(`"')]}`, piece[n]) {
				n++
			}
			all := n
			for all < len(piece) && refSpace(piece[all]) {
				all++
			}
			dashes := len(piece) > n+1 && piece[n] == '-' && piece[n+1] == '-'
			if n > 0 && (all > n || dashes || n == len(piece)) {
				sentences = append(sentences, string(s[from:next+n]))
				start, skip = next, all
				continue
			}
		}
		if from < end {
			sentences = append(sentences, string(s[from:end]))
		}
		start = next
	}
	return sentences
}

package match

// This file is the sentence splitter: where a text may break, and how the pieces are cut. It reads a text and writes
// substrings of it. Whether a place is a break is decided in punkt_decide.go.

// Sentences splits a text into sentences exactly as NLTK 3.8.1's PunktSentenceTokenizer.tokenize (realign_boundaries on)
// does with the English parameters: substrings of text, in order, the white space between them left out. White space
// before the first sentence belongs to it, as in NLTK. Empty or blank text gives nil. Invalid UTF-8 is kept: each bad
// byte counts as one character that is neither letter nor space. Time is linear in the length of the text.
//
// NLTK 3.8 knows only " ' ) ] } as closing marks: a curly quote after the full stop keeps two sentences together.
// Newer NLTK splits there.
func Sentences(text string) []string { return AppendSentences(nil, text) }

// AppendSentences is Sentences with the slice reused: it appends to dst.
func AppendSentences(dst []string, text string) []string {
	s := splitter{text: text, dst: dst, decider: decider{punktParams: english()}}
	var last candidate // not decided yet: a later candidate in the same word replaces it
	var word span      // the word before last's mark
	marks := newMarkFinder(text)
	for at := marks.next(0); at < len(text); at = marks.next(at + 1) {
		c, ok := candidateAt(text, at)
		if !ok {
			continue
		}
		from, ordinary := wordBefore(text, at, word, s.special)
		c.sure = text[at] != '.' || ordinary && (c.next < 0 || text[c.next] != '.') // full stops with spaces between are one word
		if last.ok && word.to <= from {
			s.decide(word, last)
		}
		last, word = c, span{from, at}
	}
	if last.ok {
		s.decide(word, last)
	}
	s.cut(span{s.lastBreak, trimRight(text)})
	s.finish()
	return s.dst
}

type span struct{ from, to int }

// candidate is a mark (. ? !) that may end a sentence.
type candidate struct {
	ok   bool
	at   int  // the mark
	next int  // the token after white space, or -1 when closing punctuation follows the mark at once
	sure bool // it ends a sentence, whatever follows
}

// candidateAt tells whether the mark at `at` is followed by punctuation or by white space and a token.
func candidateAt(text string, at int) (candidate, bool) {
	i := at + 1
	if i >= len(text) {
		return candidate{}, false
	}
	if class[text[i]]&nonWord != 0 {
		return candidate{ok: true, at: at, next: -1}, true
	}
	next := skipSpace(text, i)
	if next == i || next == len(text) {
		return candidate{}, false
	}
	return candidate{ok: true, at: at, next: next}, true
}

type splitter struct {
	decider
	text      string
	dst       []string
	lastBreak int

	pending    span // a piece whose end may still move over closing punctuation
	hasPending bool
	realign    int // bytes at the start of pending that went to the sentence before
}

// decide cuts at the candidate if its context (the word, the mark, and what follows) holds a break.
func (s *splitter) decide(word span, c candidate) {
	if !c.sure {
		end := c.at + 2
		if c.next >= 0 {
			end = skipNonSpace(s.text, c.next)
		}
		if !s.holdsBreak(s.text[word.from:end]) {
			return
		}
	}
	s.cut(span{s.lastBreak, c.at + 1})
	s.lastBreak = c.at + 1
	if c.next >= 0 {
		s.lastBreak = c.next
	}
}

// cut takes the next piece and finishes the one before it, which gets the closing punctuation at the new piece's start.
func (s *splitter) cut(piece span) {
	if s.hasPending {
		from := s.pending.from + s.realign
		if closers, all := closing(s.text[piece.from:piece.to]); closers > 0 {
			s.dst = append(s.dst, s.text[from:piece.from+closers])
			s.realign = all
		} else {
			s.realign = 0
			if from < s.pending.to {
				s.dst = append(s.dst, s.text[from:s.pending.to])
			}
		}
	}
	s.pending, s.hasPending = piece, true
}

func (s *splitter) finish() {
	if from := s.pending.from + s.realign; from < s.pending.to {
		s.dst = append(s.dst, s.text[from:s.pending.to])
	}
}

// closing measures closing punctuation at the start of a piece that is followed by white space, by "--" or by the end:
// its own length, and its length with the white space.
func closing(piece string) (closers, all int) {
	n := 0
	for n < len(piece) && class[piece[n]]&closer != 0 {
		n++
	}
	if n == 0 {
		return 0, 0
	}
	if rest := piece[n:]; rest == "" || rest[0] == '-' && len(rest) > 1 && rest[1] == '-' {
		return n, n
	}
	if end := skipSpace(piece, n); end > n {
		return n, end
	}
	return 0, 0
}

package tokenizer

// Offsets: which characters of the text a token came from. The slow twin of encode in bpe.go; ids are the same.

import (
	"slices"
	"unicode"
	"unicode/utf8"
)

// EncodeOffsets gives the ids of Encode and, for each, the characters [start, end) of text it came from, counted in code
// points of the text as given, also where NFC changed it. Special tokens around the text have [0, 0].
func (b *BPE) EncodeOffsets(text string) (ids []int, offsets [][2]int) {
	e, _ := b.encoders.Get().(*encoder)
	if e == nil {
		e = newEncoder()
	}
	defer b.encoders.Put(e)
	raw := []byte(text)
	chars := newSpans(raw)
	var late *spans
	var piece []byte
	put := func(id int, token string, at [2]int) {
		if b.trim {
			at = b.trimmed(token, at, len(ids) == 0)
		}
		ids = append(ids, id)
		offsets = append(offsets, at)
	}
	b.early.split(raw, func(start, end int) {
		piece, late = b.alignedPiece(raw[start:end], chars.part(start, end))
		b.late.split(piece, func(start, end int) {
			b.pieceOffsets(e, piece[start:end], late.part(start, end), put)
		}, func(t *AddedToken, start, end int) { put(t.ID, string(piece[start:end]), late.of(start, end)) })
	}, func(t *AddedToken, start, end int) { put(t.ID, string(raw[start:end]), chars.of(start, end)) })
	ids = slices.Concat(b.before, ids, b.after)
	offsets = slices.Concat(make([][2]int, len(b.before)), offsets, make([][2]int, len(b.after)))
	return ids, offsets
}

func (b *BPE) pieceOffsets(e *encoder, text []byte, at *spans, put func(id int, token string, at [2]int)) {
	if b.prefixSpace && text[0] != ' ' {
		text = append([]byte{' '}, text...)
		at = &spans{start: append([]int{at.start[0]}, at.start...), end: append([]int{at.end[0]}, at.end...)}
	}
	s := scanner{text: text, table: classes16()}
	for i := 0; i < len(text); {
		end := len(text)
		if b.words {
			end = s.next(i)
		}
		from := i
		for _, id := range b.mergeWord(e, text[i:end]) {
			n := len(b.content[id])
			put(int(id), b.tokens[id], at.of(min(from, end), min(from+n, end)))
			from += n
		}
		i = end
	}
}

// alignedPiece normalises a piece and carries its offsets along.
func (b *BPE) alignedPiece(piece []byte, at *spans) ([]byte, *spans) {
	if !b.nfc || lowBytes(piece) {
		return piece, at
	}
	var places []int // byte at which each character begins
	for i := range string(piece) {
		places = append(places, i)
	}
	runes, from := nfcAligned([]rune(string(piece)))
	var out []byte
	moved := &spans{}
	for i, r := range runes {
		for range utf8.RuneLen(r) {
			moved.start = append(moved.start, at.start[places[from[i]]])
			moved.end = append(moved.end, at.end[places[from[i]]])
		}
		out = utf8.AppendRune(out, r)
	}
	return out, moved
}

// trimmed leaves the spaces of a token out of its offsets. An added token is written as it was found, with the spaces it took.
func (b *BPE) trimmed(written string, at [2]int, first bool) [2]int {
	token := []rune(written)
	space := func(r rune) bool { return r == byteRunes[' '] || unicode.Is(unicode.White_Space, r) }
	leading, trailing := 0, 0
	for leading < len(token) && space(token[leading]) {
		leading++
	}
	for trailing < len(token) && space(token[len(token)-1-trailing]) {
		trailing++
	}
	if leading > 0 {
		if (first || at[0] == 0) && b.trimPrefix && leading == 1 {
			leading = 0
		}
		at[0] = min(at[0]+leading, at[1])
	}
	if trailing > 0 && at[1] >= trailing {
		at[1] = max(at[1]-trailing, at[0])
	}
	return at
}

// spans says for every byte which characters it belongs to.
type spans struct{ start, end []int }

func newSpans(text []byte) *spans {
	s := &spans{}
	char := 0
	for i := 0; i < len(text); char++ {
		_, n := utf8.DecodeRune(text[i:])
		for range n {
			s.start = append(s.start, char)
			s.end = append(s.end, char+1)
		}
		i += n
	}
	return s
}

func (s *spans) part(start, end int) *spans { return &spans{s.start[start:end], s.end[start:end]} }

func (s *spans) of(start, end int) [2]int {
	if start >= end {
		return [2]int{}
	}
	return [2]int{s.start[start], s.end[end-1]}
}

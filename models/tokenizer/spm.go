package tokenizer

// SentencePiece's BPE with byte fallback: characters, then the adjacent pair whose joined piece has the highest score.

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

const spaceMark = "▁" // U+2581, written for a space

// SentencePiece is a tokenizer.model. It knows nothing of added tokens and puts nothing around a text; Llama does.
type SentencePiece struct {
	model    *spmModel
	ids      map[string]int32 // normal, user-defined and unused pieces
	reserved map[string]int32 // unknown, control and byte pieces
	unknown  int32
	bytes    [256]int32 // -1 without byte fallback
	fallback bool
	chars    map[rune]int32 // symbols of single characters: pieces, or numbers above all ids
	merges   *pairTable
	unused   map[int32][2]int32 // what an unused piece was made of
	user     finder
	inner    bool // some piece has a space mark after another character: words depend on each other
	encoders sync.Pool
}

// NewSentencePiece reads a tokenizer.model.
func NewSentencePiece(data []byte) (*SentencePiece, error) {
	m, err := parseSPM(data)
	if err != nil {
		return nil, fmt.Errorf("tokenizer.model: %w", err)
	}
	s := &SentencePiece{model: m, ids: map[string]int32{}, reserved: map[string]int32{}, chars: map[rune]int32{}}
	for i := range s.bytes {
		s.bytes[i] = -1
	}
	for i, p := range m.pieces {
		into := s.ids
		switch p.kind {
		case pieceUnknown, pieceControl, pieceByte:
			into = s.reserved
		}
		if _, ok := into[p.text]; ok {
			return nil, fmt.Errorf("tokenizer.model: the piece %q is there twice", p.text)
		}
		into[p.text] = int32(i)
		switch p.kind {
		case pieceUnknown:
			s.unknown = int32(i)
		case pieceByte:
			var b byte
			if n, err := fmt.Sscanf(p.text, "<0x%02X>", &b); n != 1 || err != nil || p.text != fmt.Sprintf("<0x%02X>", b) {
				return nil, fmt.Errorf("tokenizer.model: the byte piece %q names no byte", p.text)
			}
			s.bytes[b] = int32(i)
			s.fallback = true
		case pieceUser:
			s.user.add(&AddedToken{ID: i, Content: p.text}, p.text)
		}
	}
	s.buildMerges()
	return s, nil
}

// buildMerges lists every pair of symbols that joins to a piece, ranked by the piece's score.
func (s *SentencePiece) buildMerges() {
	next := int32(len(s.model.pieces))
	for i, p := range s.model.pieces {
		if s.ids[p.text] != int32(i) || s.reservedKind(p.kind) {
			continue
		}
		for j, r := range p.text {
			if _, ok := s.chars[r]; !ok {
				if id, ok := s.ids[string(r)]; ok {
					s.chars[r] = id
				} else {
					s.chars[r] = next
					next++
				}
			}
			if j > 0 && string(r) == spaceMark && !strings.HasSuffix(p.text[:j], spaceMark) {
				s.inner = true
			}
		}
	}
	symbol := func(text string) (int32, bool) {
		if id, ok := s.ids[text]; ok {
			return id, true
		}
		r, n := utf8.DecodeRuneInString(text)
		id, ok := s.chars[r]
		return id, ok && n == len(text)
	}
	var scores []float32
	for _, p := range s.model.pieces {
		scores = append(scores, p.score)
	}
	slices.Sort(scores)
	scores = slices.Compact(scores)
	type join struct {
		left, right int32
		pairValue
	}
	var joins []join
	s.unused = map[int32][2]int32{}
	for i, p := range s.model.pieces {
		if s.reservedKind(p.kind) {
			continue
		}
		at, _ := slices.BinarySearch(scores, p.score)
		for j := range p.text {
			if j == 0 {
				continue
			}
			left, ok1 := symbol(p.text[:j])
			right, ok2 := symbol(p.text[j:])
			if ok1 && ok2 {
				joins = append(joins, join{left, right, pairValue{int32(len(scores) - 1 - at), int32(i)}})
			}
		}
	}
	s.merges = newPairTable(len(joins))
	for _, j := range joins {
		s.merges.put(j.left, j.right, j.pairValue)
	}
}

func (s *SentencePiece) reservedKind(k pieceType) bool {
	return k == pieceUnknown || k == pieceControl || k == pieceByte
}

// Encode gives the ids.
func (s *SentencePiece) Encode(text string) []int {
	return s.encode(make([]int, 0, len(text)/3+1), text)
}

func (s *SentencePiece) encode(out []int, text string) []int {
	prepared := s.prepare(text)
	if len(prepared) == 0 {
		return out
	}
	e, _ := s.encoders.Get().(*encoder)
	if e == nil {
		e = newEncoder()
	}
	before := len(out)
	s.user.split(prepared, func(start, end int) { out = s.words(e, out, prepared[start:end]) },
		func(t *AddedToken, _, _ int) { out = append(out, t.ID) })
	s.encoders.Put(e)
	if s.fallback {
		return out
	}
	kept := before // neighbouring unknown characters are one unknown piece
	for i := before; i < len(out); i++ {
		if i > before && out[i] == int(s.unknown) && out[i-1] == out[i] {
			continue
		}
		out[kept] = out[i]
		kept++
	}
	return out[:kept]
}

// prepare writes spaces as marks and puts one in front.
func (s *SentencePiece) prepare(text string) []byte {
	if !utf8.ValidString(text) {
		text = lossyText([]byte(text))
	}
	if s.model.removeExtra {
		text = s.withoutExtra(text)
	}
	if text == "" {
		return nil
	}
	space := " "
	if s.model.escapeSpace {
		space = spaceMark
	}
	out := make([]byte, 0, len(text)+len(text)/3+len(spaceMark))
	if s.model.dummyPrefix {
		out = append(out, space...)
	}
	for i := range len(text) {
		if text[i] == ' ' {
			out = append(out, space...)
		} else {
			out = append(out, text[i])
		}
	}
	for s.model.removeExtra && bytes.HasSuffix(out, []byte(space)) { // marks that were written in the text, too
		out = out[:len(out)-len(space)]
	}
	return out
}

// withoutExtra leaves out the spaces in front and those after another; a user-defined piece is one character here, so that
// only the space in front of it can go.
func (s *SentencePiece) withoutExtra(text string) string {
	var out strings.Builder
	front, after := true, true
	for i := 0; i < len(text); {
		_, n := utf8.DecodeRuneInString(text[i:])
		n = max(n, s.user.prefix(text[i:]))
		part := text[i : i+n]
		i += n
		if front = front && part == " "; front {
			continue
		}
		if after {
			part = strings.TrimLeft(part, " ")
		}
		if part != "" {
			out.WriteString(part)
			after = strings.HasSuffix(part, " ")
		}
	}
	return out.String()
}

// words cuts text where no piece can cross, before a run of space marks, and merges each part.
func (s *SentencePiece) words(e *encoder, out []int, text []byte) []int {
	merge := s.mergeWord
	if s.inner {
		return e.word(out, text, merge)
	}
	start := 0
	for i := 1; i < len(text); i++ {
		if text[i] == spaceMark[0] && isMark(text, i) && !(i >= start+3 && isMark(text, i-3)) {
			out = e.word(out, text[start:i], merge)
			start = i
		}
	}
	return e.word(out, text[start:], merge)
}

func isMark(text []byte, i int) bool {
	return i+3 <= len(text) && text[i] == spaceMark[0] && text[i+1] == spaceMark[1] && text[i+2] == spaceMark[2]
}

func (s *SentencePiece) mergeWord(e *encoder, word []byte) []int32 {
	e.symbols = e.symbols[:0]
	for i := 0; i < len(word); {
		r, n := utf8.DecodeRune(word[i:])
		if id, ok := s.chars[r]; ok {
			e.symbols = append(e.symbols, id)
		} else {
			e.symbols = append(e.symbols, -int32(r)-1) // a character no piece has
		}
		i += n
	}
	merged := e.merge(s.merges, e.symbols)
	plain := true
	for _, id := range merged {
		if id < 0 || int(id) >= len(s.model.pieces) || s.model.pieces[id].kind == pieceUnused {
			plain = false
			break
		}
	}
	if plain {
		return merged
	}
	return s.spell(merged, word)
}

// spell replaces symbols that are no pieces by byte pieces or the unknown piece, and unused pieces by their parts.
func (s *SentencePiece) spell(symbols []int32, word []byte) []int32 {
	var out []int32
	at := 0
	for _, id := range symbols {
		var text string
		if id >= 0 && int(id) < len(s.model.pieces) {
			text = s.model.pieces[id].text
		} else {
			_, n := utf8.DecodeRune(word[at:])
			text = string(word[at : at+n])
		}
		at += len(text)
		out = s.parts(out, text)
	}
	return out
}

func (s *SentencePiece) parts(out []int32, text string) []int32 {
	id, ok := s.ids[text]
	if ok && s.model.pieces[id].kind != pieceUnused {
		return append(out, id)
	}
	if left, right, ok := s.made(text); ok {
		return s.parts(s.parts(out, left), right)
	}
	if ok { // an unused piece of one character
		return append(out, id)
	}
	if !s.fallback {
		return append(out, s.unknown)
	}
	for i := range len(text) {
		if b := s.bytes[text[i]]; b >= 0 {
			out = append(out, b)
		} else {
			out = append(out, s.unknown)
		}
	}
	return out
}

// made gives the two parts that an unused piece is merged from: the last merge of its characters.
func (s *SentencePiece) made(text string) (left, right string, ok bool) {
	if utf8.RuneCountInString(text) < 2 {
		return "", "", false
	}
	best := int32(noPair)
	for j := range text {
		if j == 0 {
			continue
		}
		l, ok1 := s.ids[text[:j]]
		r, ok2 := s.ids[text[j:]]
		if !ok1 || !ok2 {
			continue
		}
		if v := s.merges.get(l, r); v.rank < best {
			best, left, right, ok = v.rank, text[:j], text[j:], true
		}
	}
	return left, right, ok
}

// Pieces gives the texts of ids.
func (s *SentencePiece) Pieces(ids []int) []string {
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		out = append(out, s.Token(id))
	}
	return out
}

// Decode gives the text of ids; control pieces give nothing.
func (s *SentencePiece) Decode(ids []int) string {
	pieces := make([]string, 0, len(ids))
	for _, id := range ids {
		if id >= 0 && id < len(s.model.pieces) {
			pieces = append(pieces, s.model.pieces[id].text)
		}
	}
	return s.DecodePieces(pieces)
}

// DecodePieces is Decode for pieces given by their texts, which need not be in the vocabulary.
func (s *SentencePiece) DecodePieces(pieces []string) string {
	var out []byte
	var raw []byte // bytes of byte pieces not yet read as text
	flush := func() {
		for len(raw) > 0 {
			if r, n := utf8.DecodeRune(raw); r != utf8.RuneError || n > 1 {
				out = append(out, raw[:n]...)
				raw = raw[n:]
				continue
			}
			out = append(out, "\uFFFD"...)
			raw = raw[1:]
		}
	}
	front := true // nothing was written yet, nor a front space swallowed
	for _, text := range pieces {
		kind := pieceNormal
		if id, ok := s.reserved[text]; ok {
			kind = s.model.pieces[id].kind
		} else if _, ok := s.ids[text]; !ok {
			kind = pieceUnknown
		}
		if kind == pieceByte {
			var b byte
			fmt.Sscanf(text, "<0x%02X>", &b)
			raw = append(raw, b)
			continue
		}
		flush()
		if len(out) > 0 {
			front = false
		}
		switch {
		case kind == pieceControl:
		case kind == pieceUnknown && text == s.model.pieces[s.unknown].text:
			out = append(out, s.model.unknownSurface...)
		case kind == pieceUnknown:
			out = append(out, text...)
		default:
			if front && (s.model.dummyPrefix || s.model.removeExtra) && strings.HasPrefix(text, spaceMark) {
				text = text[len(spaceMark):]
				front = s.model.removeExtra
			}
			out = append(out, strings.ReplaceAll(text, spaceMark, " ")...)
		}
	}
	flush()
	return string(out)
}

// Size is the number of pieces.
func (s *SentencePiece) Size() int { return len(s.model.pieces) }

// ID gives the id of a piece.
func (s *SentencePiece) ID(piece string) (int, bool) {
	if id, ok := s.reserved[piece]; ok {
		return int(id), true
	}
	id, ok := s.ids[piece]
	return int(id), ok
}

// Token is the reverse of ID.
func (s *SentencePiece) Token(id int) string {
	if id < 0 || id >= len(s.model.pieces) {
		return ""
	}
	return s.model.pieces[id].text
}

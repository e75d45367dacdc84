package tokenizer

// Byte-level BPE as Hugging Face tokenizers runs it: added tokens, NFC, GPT-2's words, merges, template.

import (
	"slices"
	"sync"
)

// BPE is a byte-level BPE tokenizer.
type BPE struct {
	tokens  []string // by id, as written in the vocabulary
	content [][]byte // by id, the bytes it stands for
	ids     map[string]int32
	byteIDs [256]int32 // the symbol of each byte, -1 where the vocabulary has none
	merges  *pairTable
	whole   map[string]int32 // words that are tokens, when merges are ignored for them

	added   map[int]*AddedToken
	early   finder // added tokens that are looked for in the text as given
	late    finder // and in the normalised text
	special map[int]bool

	nfc           bool
	prefixSpace   bool // a space is put before a text that does not begin with one
	words         bool // split into GPT-2's words
	trim          bool // offsets leave out the spaces of a token
	trimPrefix    bool // but not the space put before the text
	before, after []int
	encoders      sync.Pool
}

// Encode gives the ids with the special tokens around.
func (b *BPE) Encode(text string) []int {
	out := make([]int, 0, len(text)/3+len(b.before)+len(b.after)+1)
	out = append(out, b.before...)
	return append(b.encode(out, text), b.after...)
}

// EncodePlain gives the ids without the special tokens around.
func (b *BPE) EncodePlain(text string) []int {
	return b.encode(make([]int, 0, len(text)/3+1), text)
}

func (b *BPE) encode(out []int, text string) []int {
	e, _ := b.encoders.Get().(*encoder)
	if e == nil {
		e = newEncoder()
	}
	token := func(t *AddedToken, _, _ int) { out = append(out, t.ID) }
	raw := []byte(text)
	b.early.split(raw, func(start, end int) {
		piece := b.normalize(raw[start:end])
		b.late.split(piece, func(start, end int) { out = b.piece(e, out, piece[start:end]) }, token)
	}, token)
	b.encoders.Put(e)
	return out
}

func (b *BPE) normalize(piece []byte) []byte {
	if b.nfc && !lowBytes(piece) {
		return []byte(nfcText(string(piece)))
	}
	return piece
}

// lowBytes says whether all characters are below U+0300, which NFC leaves alone.
func lowBytes(b []byte) bool {
	for _, c := range b {
		if c >= 0xcc {
			return false
		}
	}
	return true
}

// piece appends the ids of text without added tokens.
func (b *BPE) piece(e *encoder, out []int, text []byte) []int {
	if b.prefixSpace && text[0] != ' ' {
		text = append([]byte{' '}, text...)
	}
	if !b.words {
		return e.word(out, text, b.mergeWord)
	}
	merge := b.mergeWord
	s := scanner{text: text, table: classes16()}
	for i := 0; i < len(text); {
		end := s.next(i)
		out = e.word(out, text[i:end], merge)
		i = end
	}
	return out
}

// mergeWord gives the ids of one word; they are valid until the next call.
func (b *BPE) mergeWord(e *encoder, word []byte) []int32 {
	e.symbols = e.symbols[:0]
	if b.whole != nil {
		if id, ok := b.whole[string(word)]; ok {
			e.symbols = append(e.symbols, id)
			return e.symbols
		}
	}
	for _, c := range word {
		if id := b.byteIDs[c]; id >= 0 {
			e.symbols = append(e.symbols, id)
		}
	}
	return e.merge(b.merges, e.symbols)
}

// Decode gives the text, special tokens included.
func (b *BPE) Decode(ids []int) string { return b.decode(ids, false) }

// DecodePlain leaves the special tokens out.
func (b *BPE) DecodePlain(ids []int) string { return b.decode(ids, true) }

func (b *BPE) decode(ids []int, plain bool) string {
	var out []byte
	for _, id := range ids {
		if id < 0 || id >= len(b.content) || plain && b.special[id] {
			continue
		}
		out = append(out, b.content[id]...)
	}
	return lossyText(out)
}

// Size is one more than the largest id.
func (b *BPE) Size() int { return len(b.tokens) }

// ID gives the id of a token as the vocabulary writes it.
func (b *BPE) ID(token string) (int, bool) {
	id, ok := b.ids[token]
	return int(id), ok
}

// Token is the reverse of ID.
func (b *BPE) Token(id int) string {
	if id < 0 || id >= len(b.tokens) {
		return ""
	}
	return b.tokens[id]
}

// Added lists the added tokens by id.
func (b *BPE) Added() []AddedToken {
	var list []AddedToken
	for _, t := range b.added {
		list = append(list, *t)
	}
	slices.SortFunc(list, func(x, y AddedToken) int { return x.ID - y.ID })
	return list
}

// AddSpecial makes special tokens of the given texts; the new ones get the next ids.
func (b *BPE) AddSpecial(tokens ...string) int {
	grown := 0
	for _, text := range tokens {
		if text == "" {
			continue
		}
		id, ok := b.ID(text)
		if !ok {
			id = len(b.tokens)
			grown++
		}
		if old := b.added[id]; old != nil && old.Special {
			continue
		}
		b.setAdded(AddedToken{ID: id, Content: text, Special: true})
	}
	b.buildFinders()
	return grown
}

// setAdded enters an added token; buildFinders must follow.
func (b *BPE) setAdded(t AddedToken) {
	for len(b.tokens) <= t.ID {
		b.tokens = append(b.tokens, "")
		b.content = append(b.content, nil)
	}
	b.tokens[t.ID] = t.Content
	b.content[t.ID] = tokenBytes(b.searched(t))
	b.ids[t.Content] = int32(t.ID)
	b.added[t.ID] = &t
	if t.Special {
		b.special[t.ID] = true
	}
}

func (b *BPE) buildFinders() {
	b.early, b.late = finder{}, finder{}
	for _, t := range b.Added() {
		if !t.Normalized {
			b.early.add(&t, t.Content)
			continue
		}
		b.late.add(&t, b.searched(t))
	}
}

// searched is what is looked for in a text, and what is decoded.
func (b *BPE) searched(t AddedToken) string {
	if t.Normalized && b.nfc {
		return nfcText(t.Content)
	}
	return t.Content
}

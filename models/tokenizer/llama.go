package tokenizer

// LLaMA's tokenizer of transformers 4.33.3 on top of a SentencePiece model: <s> in front, added special tokens cut out
// first. Slow (LlamaTokenizer, legacy) and fast (LlamaTokenizerFast) differ around special tokens.

import (
	"slices"
	"strings"
)

// Llama is the tokenizer of LLaMA models.
type Llama struct {
	*SentencePiece
	// Fast keeps the white space around special tokens, as LlamaTokenizerFast does; the slow tokenizer strips it.
	Fast bool

	bos, eos int
	added    []string // ids continue those of the model
	special  []string // all special tokens
	cut      finder
}

// NewLlama makes one; the model's control pieces (<s>, </s>) and its unknown piece are special tokens.
func NewLlama(model *SentencePiece) *Llama {
	l := &Llama{SentencePiece: model, bos: -1, eos: -1}
	for i, p := range model.model.pieces {
		switch p.kind {
		case pieceControl:
			if p.text == "<s>" {
				l.bos = i
			} else if p.text == "</s>" {
				l.eos = i
			}
			l.special = append(l.special, p.text)
		case pieceUnknown:
			l.special = append(l.special, p.text)
		}
	}
	l.build()
	return l
}

func (l *Llama) build() {
	l.cut = finder{}
	for _, text := range l.special {
		id, _ := l.ID(text)
		l.cut.add(&AddedToken{ID: id, Content: text, Special: true}, text)
	}
}

// AddSpecial adds special tokens; the new ones get the next ids.
func (l *Llama) AddSpecial(tokens ...string) int {
	grown := 0
	for _, text := range tokens {
		if text == "" || slices.Contains(l.special, text) {
			continue
		}
		if _, ok := l.ID(text); !ok {
			l.added = append(l.added, text)
			grown++
		}
		l.special = append(l.special, text)
	}
	l.build()
	return grown
}

// Size counts the added tokens too.
func (l *Llama) Size() int { return l.SentencePiece.Size() + len(l.added) }

// ID knows pieces and added tokens.
func (l *Llama) ID(token string) (int, bool) {
	if id, ok := l.SentencePiece.ID(token); ok {
		return id, true
	}
	if i := slices.Index(l.added, token); i >= 0 {
		return l.SentencePiece.Size() + i, true
	}
	return 0, false
}

// Token is the reverse of ID.
func (l *Llama) Token(id int) string {
	if i := id - l.SentencePiece.Size(); i >= 0 && i < len(l.added) {
		return l.added[i]
	}
	return l.SentencePiece.Token(id)
}

// Encode gives the ids with <s> in front.
func (l *Llama) Encode(text string) []int {
	out := make([]int, 0, len(text)/3+2)
	if l.bos >= 0 {
		out = append(out, l.bos)
	}
	return l.encodeParts(out, text)
}

// EncodePlain gives them without.
func (l *Llama) EncodePlain(text string) []int {
	return l.encodeParts(make([]int, 0, len(text)/3+1), text)
}

// encodeParts encodes the text between special tokens, each part with a dummy prefix of its own.
func (l *Llama) encodeParts(out []int, text string) []int {
	raw := []byte(text)
	strippedBy := func(id int) bool { // <s>, </s> and <unk> keep the white space around them
		return !l.Fast && id >= l.SentencePiece.Size()
	}
	type part struct {
		text string
		id   int // -1 for text
	}
	var parts []part
	l.cut.split(raw, func(start, end int) { parts = append(parts, part{text[start:end], -1}) },
		func(t *AddedToken, _, _ int) { parts = append(parts, part{"", t.ID}) })
	for i, p := range parts {
		if p.id >= 0 {
			out = append(out, p.id)
			continue
		}
		if i > 0 && strippedBy(parts[i-1].id) {
			p.text = strings.TrimLeftFunc(p.text, pythonSpace)
		}
		if i+1 < len(parts) && strippedBy(parts[i+1].id) {
			p.text = strings.TrimRightFunc(p.text, pythonSpace)
		}
		out = l.SentencePiece.encode(out, p.text)
	}
	return out
}

// Decode gives the text, special tokens included, as the slow tokenizer writes it: with a space before and after added ones.
func (l *Llama) Decode(ids []int) string { return l.decode(ids, false) }

// DecodePlain leaves the special tokens out.
func (l *Llama) DecodePlain(ids []int) string { return l.decode(ids, true) }

func (l *Llama) decode(ids []int, plain bool) string {
	var texts, run []string
	for _, id := range ids {
		token := l.Token(id)
		if id < 0 || id >= l.Size() || plain && slices.Contains(l.special, token) {
			continue
		}
		if id < l.SentencePiece.Size() {
			run = append(run, token)
			continue
		}
		if len(run) > 0 {
			texts = append(texts, l.joinPieces(run))
			run = nil
		}
		texts = append(texts, token)
	}
	if len(run) > 0 {
		texts = append(texts, l.joinPieces(run))
	}
	return strings.Join(texts, " ")
}

// joinPieces writes pieces as text; the space put in front when encoding is taken off, special pieces are kept.
func (l *Llama) joinPieces(pieces []string) string {
	pieces = slices.Clone(pieces)
	pieces[0] = strings.TrimPrefix(pieces[0], spaceMark)
	var out strings.Builder
	var run []string
	wasSpecial := false
	for i, p := range pieces {
		if !slices.Contains(l.special, p) {
			run = append(run, p)
			wasSpecial = false
			continue
		}
		if !wasSpecial && i != 0 {
			out.WriteByte(' ')
		}
		out.WriteString(l.DecodePieces(run) + p)
		run, wasSpecial = nil, true
	}
	out.WriteString(l.DecodePieces(run))
	return out.String()
}

package tokenizer

// CLIP's tokenizer: open_clip 2.20's SimpleTokenizer, which is OpenAI's.

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode/utf8"
)

// CLIPContext is the length of a row of ids.
const CLIPContext = 77

// CLIP is CLIP's byte-level BPE. Its ids are those of the towers of open_clip and Hugging Face.
type CLIP struct {
	tokens   []string
	ids      map[string]int32
	plain    [256]int32 // symbol of a byte inside a word
	final    [256]int32 // and at its end, with </w>
	merges   *pairTable
	start    int
	end      int
	specials []clipSpecial
	encoders sync.Pool
}

type clipSpecial struct {
	text string
	id   int
}

const (
	startOfText = "<start_of_text>"
	endOfText   = "<end_of_text>"
	wordEnd     = "</w>"

	maxCLIPMerges = 49152 - 256 - 2 // as many lines of the table are used
	maxMergeBytes = 64 << 20        // of an unpacked table
)

// NewCLIP reads a merge table in the form of bpe_simple_vocab_16e6.txt, gzipped or not: a line that is skipped, then a
// merge a line. The vocabulary follows from it: 256 bytes, 256 bytes at the end of a word, merges, two special tokens.
func NewCLIP(merges []byte) (*CLIP, error) {
	if bytes.HasPrefix(merges, []byte{0x1f, 0x8b}) {
		unpacked, err := gunzip(merges)
		if err != nil {
			return nil, fmt.Errorf("merge table: %w", err)
		}
		merges = unpacked
	}
	_, rest, _ := bytes.Cut(merges, []byte("\n"))
	pairs, err := mergeLines(rest)
	if err != nil {
		return nil, fmt.Errorf("merge table: %w", err)
	}
	lines := len(pairs)
	if bytes.HasSuffix(rest, []byte("\n")) {
		lines++ // the reference takes the empty last line of a short table for a token
	}
	lines = min(lines, maxCLIPMerges)
	pairs = pairs[:min(len(pairs), lines)]
	var tokens []string
	for _, suffix := range []string{"", wordEnd} {
		for _, c := range clipBytes() {
			tokens = append(tokens, string(byteRunes[c])+suffix)
		}
	}
	for _, p := range pairs {
		tokens = append(tokens, p[0]+p[1])
	}
	if lines > len(pairs) {
		tokens = append(tokens, "")
	}
	return newCLIP(append(tokens, startOfText, endOfText), pairs, startOfText, endOfText)
}

// NewCLIPFiles reads Hugging Face's vocab.json and merges.txt of a CLIP model.
func NewCLIPFiles(vocab, merges []byte) (*CLIP, error) {
	var ids map[string]int
	if err := json.Unmarshal(vocab, &ids); err != nil {
		return nil, fmt.Errorf("vocab.json: %w", err)
	}
	tokens := make([]string, len(ids))
	for token, id := range ids {
		if id < 0 || id >= len(tokens) || tokens[id] != "" || token == "" {
			return nil, fmt.Errorf("vocab.json: the ids are not 0 to %d, each once: see %q", len(ids)-1, token)
		}
		tokens[id] = token
	}
	pairs, err := mergeLines(withoutVersion(merges))
	if err != nil {
		return nil, fmt.Errorf("merges.txt: %w", err)
	}
	start, end := "<|startoftext|>", "<|endoftext|>"
	if _, ok := ids[startOfText]; ok {
		start, end = startOfText, endOfText
	}
	return newCLIP(tokens, pairs, start, end)
}

func gunzip(data []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(io.LimitReader(z, maxMergeBytes+1))
	if err == nil && len(out) > maxMergeBytes {
		err = errors.New("it unpacks to too much")
	}
	return out, err
}

// clipBytes is the order of the bytes in the vocabulary: the printable ones first.
func clipBytes() []byte {
	var printable, others []byte
	for b := range 256 {
		if byteRunes[b] == rune(b) {
			printable = append(printable, byte(b))
		} else {
			others = append(others, byte(b))
		}
	}
	return append(printable, others...)
}

func newCLIP(tokens []string, pairs [][2]string, start, end string) (*CLIP, error) {
	c := &CLIP{tokens: tokens, ids: make(map[string]int32, len(tokens))}
	for id, token := range tokens {
		c.ids[token] = int32(id) // of equal tokens the last counts
	}
	for b := range 256 {
		var ok1, ok2 bool
		c.plain[b], ok1 = c.ids[string(byteRunes[b])]
		c.final[b], ok2 = c.ids[string(byteRunes[b])+wordEnd]
		if !ok1 || !ok2 {
			return nil, fmt.Errorf("the vocabulary lacks the byte 0x%02x, alone or at the end of a word: it is not CLIP's", b)
		}
	}
	c.merges = newPairTable(len(pairs))
	for rank, p := range pairs {
		left, ok1 := c.ids[p[0]]
		right, ok2 := c.ids[p[1]]
		made, ok3 := c.ids[p[0]+p[1]]
		if !ok1 || !ok2 || !ok3 {
			return nil, fmt.Errorf("merge %d joins %q and %q, but the vocabulary lacks one of them or %q", rank, p[0], p[1], p[0]+p[1])
		}
		c.merges.put(left, right, pairValue{int32(rank), made})
	}
	s, ok1 := c.ids[start]
	e, ok2 := c.ids[end]
	if !ok1 || !ok2 {
		return nil, fmt.Errorf("the vocabulary lacks %q or %q", start, end)
	}
	c.start, c.end = int(s), int(e)
	c.specials = []clipSpecial{{start, c.start}, {end, c.end}}
	return c, nil
}

// Clean is what happens to a text before it is cut into words: repair (FixText), HTML entities undone twice, white space to
// single spaces, lower case.
func (c *CLIP) Clean(text string) string {
	text = unescapeHTML(unescapeHTML(FixText(text)))
	text = strings.TrimFunc(text, pythonSpace)
	return strings.TrimFunc(pythonLower(collapseSpace(text)), pythonSpace)
}

// collapseSpace makes one space of every run of white space.
func collapseSpace(text string) string {
	table := classes16() // white space is the same in all
	var out strings.Builder
	out.Grow(len(text))
	space := false
	for _, r := range text {
		white := r < utf8.RuneSelf && asciiClass[r] == classSpace || r >= utf8.RuneSelf && table.of(r) == classSpace
		if !white {
			out.WriteRune(r)
		} else if !space {
			out.WriteByte(' ')
		}
		space = white
	}
	return out.String()
}

// EncodePlain gives the ids of a text without the two ends.
func (c *CLIP) EncodePlain(text string) []int {
	text = c.Clean(text)
	e, _ := c.encoders.Get().(*encoder)
	if e == nil {
		e = newEncoder()
	}
	raw := []byte(text)
	out := make([]int, 0, len(raw)/3+2)
	merge := c.mergeWord
	s := scanner{text: raw, table: classes18()}
	for i := 0; i < len(raw); {
		if kind, n := s.at(i); kind == classSpace {
			i += n
			continue
		}
		end, id := c.next(&s, i)
		if id >= 0 {
			out = append(out, id)
		} else {
			out = e.word(out, raw[i:end], merge)
		}
		i = end
	}
	c.encoders.Put(e)
	return out
}

// next gives the end of the word at i, and its id when it is a special token (else -1). The pattern, tried in order:
//
//	special tokens | 's|'t|'re|'ve|'m|'ll|'d | letters | one number | other characters without white space
//
// in which case does not count, so that ſ is an s too.
func (c *CLIP) next(s *scanner, i int) (end, id int) {
	if s.text[i] == '<' {
		for _, special := range c.specials {
			if n := foldedPrefix(s.text[i:], special.text); n > 0 {
				if string(s.text[i:i+n]) == special.text {
					return i + n, special.id
				}
				return i + n, -1
			}
		}
	}
	if n := contraction(s.text, i); n > 0 {
		return i + n, -1
	}
	if bytes.HasPrefix(s.text[i:], []byte("'ſ")) {
		return i + len("'ſ"), -1
	}
	kind, n := s.at(i)
	if kind == classNumber {
		return i + n, -1
	}
	return s.run(i+n, kind), -1
}

// foldedPrefix is the length of the front of text that equals want when ſ counts as s, or 0.
func foldedPrefix(text []byte, want string) int {
	at := 0
	for i := range len(want) {
		switch {
		case at < len(text) && text[at] == want[i]:
			at++
		case want[i] == 's' && bytes.HasPrefix(text[at:], []byte("ſ")):
			at += len("ſ")
		default:
			return 0
		}
	}
	return at
}

// mergeWord gives the ids of one word; they are valid until the next call.
func (c *CLIP) mergeWord(e *encoder, word []byte) []int32 {
	e.symbols = e.symbols[:0]
	for _, b := range word[:len(word)-1] {
		e.symbols = append(e.symbols, c.plain[b])
	}
	e.symbols = append(e.symbols, c.final[word[len(word)-1]])
	return e.merge(c.merges, e.symbols)
}

// Encode gives the ids with the two ends, at most CLIPContext of them: a longer text is cut and the end token forced into
// the last place.
func (c *CLIP) Encode(text string) []int { return c.encodeTo(text, CLIPContext) }

func (c *CLIP) encodeTo(text string, context int) []int {
	ids := append([]int{c.start}, c.EncodePlain(text)...)
	ids = append(ids, c.end)
	if len(ids) > context {
		ids = ids[:context]
		ids[context-1] = c.end
	}
	return ids
}

// Row is Encode padded with zeros to the length of the text tower's context.
func (c *CLIP) Row(text string, context int) []int64 {
	row := make([]int64, context)
	for i, id := range c.encodeTo(text, context) {
		row[i] = int64(id)
	}
	return row
}

// Decode gives the text, with a space after each word and the special tokens as they are written.
func (c *CLIP) Decode(ids []int) string { return c.decode(ids, false) }

// DecodePlain leaves the special tokens out.
func (c *CLIP) DecodePlain(ids []int) string { return c.decode(ids, true) }

func (c *CLIP) decode(ids []int, plain bool) string {
	var out []byte
	for _, id := range ids {
		token := c.Token(id)
		switch {
		case plain && (id == c.start || id == c.end):
		case strings.HasSuffix(token, wordEnd):
			out = append(append(out, tokenBytes(strings.TrimSuffix(token, wordEnd))...), ' ')
		default:
			out = append(out, tokenBytes(token)...)
		}
	}
	return lossyText(out)
}

// Size is the number of ids.
func (c *CLIP) Size() int { return len(c.tokens) }

// ID gives the id of a token.
func (c *CLIP) ID(token string) (int, bool) {
	id, ok := c.ids[token]
	return int(id), ok
}

// Token is the reverse of ID.
func (c *CLIP) Token(id int) string {
	if id < 0 || id >= len(c.tokens) {
		return ""
	}
	return c.tokens[id]
}

// AddSpecial makes special tokens of the given texts.
func (c *CLIP) AddSpecial(tokens ...string) int {
	grown := 0
	for _, text := range tokens {
		if _, ok := c.ids[text]; ok || text == "" {
			continue
		}
		id := len(c.tokens)
		c.tokens = append(c.tokens, text)
		c.ids[text] = int32(id)
		c.specials = append(c.specials, clipSpecial{text, id})
		grown++
	}
	return grown
}

package ptb

// Captions as lines of one text: cut into pieces, tokenised on all processors, handed over line by line.

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"
	"unicode/utf8"
	"unsafe"
)

// lineBreaks are what the reference takes for the end of a line; inside a caption they are spaces.
var lineBreaks = strings.NewReplacer("\r", " ", "\n", " ", "\v", " ", "\f", " ", "\u2028", " ", "\u2029", " ")

// mayBreak reports whether there may be line breaks in s: whether there are control characters, or some beyond ASCII.
func mayBreak(s string) bool {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		x := eight(s[i:])
		if (x-' '*eachByte|x)&eachHigh != 0 {
			return true
		}
	}
	for ; i < len(s); i++ {
		if s[i] < ' ' || s[i] >= utf8.RuneSelf {
			return true
		}
	}
	return false
}

// Eight bytes at a time.
const (
	eachByte = 0x0101010101010101
	eachHigh = 0x80 * eachByte
)

func eight(s string) uint64 { return binary.LittleEndian.Uint64(unsafe.Slice(unsafe.StringData(s), 8)) }

// Lines tokenises captions as one text with a caption a line, as pycocoevalcap does, and returns for each the lower-case
// tokens with a space between them. What follows a line can matter: "vitamin c." keeps its full stop unless the next
// line begins with one of the words that open sentences. Line breaks inside a caption count as spaces.
func Lines(captions []string) []string { return tokenise(captions, nil) }

// Captions is Lines without the tokens that caption scorers do not count.
func Captions(captions []string) []string { return tokenise(captions, ignored) }

// Each is Captions for a caller who needs the lines only for a moment: it is given those of Chunk captions at a time, from
// captions[first] on, by several goroutines, and they change once it returns. Captions may come again; then the last time counts.
func Each(captions []string, use func(first int, lines [][]byte)) { each(captions, ignored, use) }

// ignored are the tokens that pycocoevalcap removes. Its list has brackets too, but in capitals, which no token is.
func ignored(token string) bool {
	if len(token) > 3 {
		return false
	}
	switch token {
	case "''", "'", "``", "`", ".", "?", "!", ",", ":", "-", "--", "...", ";":
		return true
	}
	return false
}

func tokenise(captions []string, drop func(string) bool) []string {
	out := make([]string, len(captions))
	each(captions, drop, func(first int, lines [][]byte) {
		var all strings.Builder
		for _, line := range lines {
			all.Write(line)
		}
		text := all.String()
		for i, line := range lines {
			out[first+i] = text[:len(line)]
			text = text[len(line):]
		}
	})
	return out
}

// Chunk is how many captions a goroutine takes at a time, and ahead how many bytes behind them it looks at.
const (
	Chunk = 512
	ahead = 256
)

func each(captions []string, drop func(string) bool, use func(first int, lines [][]byte)) {
	var next atomic.Int32
	var spilled atomic.Bool
	var wg sync.WaitGroup
	chunks := (len(captions) + Chunk - 1) / Chunk
	for range min(chunks, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			var p piece
			for {
				k := int(next.Add(1)) - 1
				if k >= chunks {
					return
				}
				first, last := k*Chunk, min((k+1)*Chunk, len(captions))
				if !p.scan(captions, first, last, ahead, drop) {
					spilled.Store(true)
				}
				use(first, p.lines)
			}
		})
	}
	wg.Wait()
	if spilled.Load() { // a token runs over a piece's end (a quoted attribute may): all in one piece, then
		var p piece
		p.scan(captions, 0, len(captions), 0, drop)
		for first := 0; first < len(captions); first += Chunk {
			use(first, p.lines[first:min(first+Chunk, len(captions))])
		}
	}
}

// piece is the text of some captions and what becomes of it, in memory that the next piece uses again.
type piece struct {
	text  []byte
	out   []byte // of all lines
	ends  []int
	lines [][]byte
}

// add appends a caption as a line of the text.
func (p *piece) add(caption string) {
	if mayBreak(caption) {
		caption = lineBreaks.Replace(caption)
	}
	p.text = append(append(p.text, caption...), '\n')
}

// scan tokenises captions[first:last] into lines, with some of the text behind them in sight. It reports whether that was enough.
func (p *piece) scan(captions []string, first, last, ahead int, drop func(string) bool) (enough bool) {
	if p.text == nil { // as much as captions of the usual length need
		p.text, p.out = make([]byte, 0, 64*Chunk), make([]byte, 0, 64*Chunk)
		p.ends, p.lines = make([]int, 0, Chunk), make([][]byte, 0, Chunk)
	}
	p.text = p.text[:0]
	for _, c := range captions[first:last] {
		p.add(c)
	}
	to := len(p.text)
	seen := last
	for ; seen < len(captions) && len(p.text) < to+ahead; seen++ {
		p.add(captions[seen])
	}
	whole := seen == len(captions)
	if whole { // no line break behind the last caption
		p.text = p.text[:len(p.text)-1]
		to = min(to, len(p.text))
	}
	end, more := p.tokens(to, drop)
	p.lines = p.lines[:0]
	start := 0
	for i := range last - first {
		var line []byte
		if i < len(p.ends) {
			line = p.out[start:p.ends[i]]
			start = p.ends[i]
		}
		p.lines = append(p.lines, line)
	}
	return end == to && (whole || !more)
}

// tokens reads tokens up to a place of the text and ends a line at every line break. It returns where the last token ended, and
// whether more text might have changed one.
func (p *piece) tokens(to int, drop func(string) bool) (end int, more bool) {
	text := unsafe.String(unsafe.SliceData(p.text), len(p.text)) // it stays as it is until the next scan
	p.out, p.ends = p.out[:0], p.ends[:0]
	at, begin := 0, 0
	beyond := false // the line's last token is kept and ends beyond ASCII
	flush := func() {
		if beyond { // pycocoevalcap strips the line before it looks at tokens, and an address may end in a no-break space
			p.out = append(p.out[:begin], bytes.TrimRightFunc(p.out[begin:], unicode.IsSpace)...)
		}
		p.ends = append(p.ends, len(p.out))
		begin, beyond = len(p.out), false
	}
	add := func(token string) {
		if beyond = false; drop != nil && drop(token) {
			return
		}
		beyond = drop != nil && token != "" && token[len(token)-1] >= utf8.RuneSelf
		if len(p.out) > begin {
			p.out = append(p.out, ' ')
		}
		p.out = appendLower(p.out, token)
	}
	for at < to {
		if text[at] == ' ' && at+1 < to && text[at+1] > ' ' && text[at+1] < utf8.RuneSelf { // a single space, which nearly all are
			at++
			continue
		}
		if n := p.plainWord(text[at:], len(p.out) > begin); n > 0 {
			at, beyond = at+n, false
			continue
		}
		token, size, do, unsure := next(text[at:])
		at += size
		more = more || unsure
		switch {
		case do.newline:
			flush()
		case do.skip:
		case strings.Contains(token, "\n"): // printed as it is, it ends lines as well
			parts := strings.Split(lower(token), "\n")
			for _, part := range parts[:len(parts)-1] {
				add(part)
				flush()
			}
			add(parts[len(parts)-1])
		default:
			add(token)
		}
	}
	if len(p.out) > begin {
		flush()
	}
	return at, more
}

// plainWord writes a token that needs no automaton, as most do not: ASCII letters before a space or the end of a line. No rule
// sees past that or takes less, but for the words that fall in two. It returns the token's length, 0 when there is none at the
// beginning of the text. Letters are looked at eight at a time.
func (p *piece) plainWord(text string, space bool) int {
	out := p.out
	if space {
		out = append(out, ' ')
	}
	n := 0
	for n+8 <= len(text) {
		x := eight(text[n:])
		folded := x | 0x20*eachByte
		low := folded &^ eachHigh
		letters := (low + (0x80-'a')*eachByte) &^ (low + (0x7f-'z')*eachByte) &^ x & eachHigh
		out = binary.LittleEndian.AppendUint64(out, folded)
		if letters != eachHigh {
			more := bits.TrailingZeros64(^letters&eachHigh) / 8
			n += more
			out = out[:len(out)-8+more]
			break
		}
		n += 8
	}
	for ; n < len(text) && n+8 > len(text); n++ {
		c := text[n] | 0x20
		if c < 'a' || c > 'z' {
			break
		}
		out = append(out, c)
	}
	if n == 0 || n < len(text) && text[n] != ' ' && text[n] != '\n' || (n == 5 || n == 6) && fallsApart(out[len(out)-n:]) {
		return 0
	}
	p.out = out
	return n
}

// fallsApart tells the words, in lower case, that are two tokens.
func fallsApart(word []byte) bool {
	switch string(word) {
	case "cannot", "gimme", "gonna", "gotta", "lemme", "wanna":
		return true
	}
	return false
}

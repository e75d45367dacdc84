package tokenizer

// FixText repairs text as ftfy 6.3.1's fix_text does with its default settings: HTML entities, mojibake, ligatures,
// character width, curly quotes, line breaks, terminal escapes, control characters, NFC. CLIP's tokenizer calls it first.
// Written after ftfy's documentation and behaviour (Robyn Speer, Apache-2.0); character tables are computed from the codecs.

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	maxSegment = 1_000_000 // characters repaired together at most
	maxRounds  = 40        // a text that still changes is left as it is then; keeps hostile entities linear
)

// FixText gives the repaired text. Lines are repaired one by one; from the first line with a "<" on, HTML entities stay.
func FixText(text string) string {
	if plainASCII(text) {
		return text
	}
	var out strings.Builder
	entities := true
	for text != "" {
		segment := text
		if i := strings.IndexByte(text, '\n'); i >= 0 {
			segment = text[:i+1]
		}
		segment = segment[:prefixOfRunes(segment, maxSegment)]
		text = text[len(segment):]
		if strings.IndexByte(segment, '<') >= 0 {
			entities = false
		}
		out.WriteString(fixSegment(segment, entities))
	}
	return out.String()
}

// plainASCII says that there is nothing to repair: no entity, no control character but tab, line feed and form feed.
func plainASCII(text string) bool {
	for i := range len(text) {
		c := text[i]
		if c >= 0x7f || c == '&' || c < ' ' && c != '\t' && c != '\n' && c != '\f' {
			return false
		}
	}
	return true
}

// prefixOfRunes is the length in bytes of the first n characters.
func prefixOfRunes(s string, n int) int {
	if len(s) <= n {
		return len(s)
	}
	for i := range s {
		if n == 0 {
			return i
		}
		n--
	}
	return len(s)
}

// fixSegment applies all steps until nothing changes.
func fixSegment(text string, entities bool) string {
	for range maxRounds {
		before := text
		if entities {
			text = unescapeStrict(text)
		}
		if !isASCII(text) {
			text = fixEncoding(text)
			text = fixCharacters(text)
		}
		text = fixLineBreaks(text)
		text = removeTerminalEscapes(text)
		text = removeControls(text)
		text = nfcText(text)
		if text == before {
			break
		}
	}
	return text
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// ligatures are single characters that stand for several Latin letters.
var ligatures = map[rune]string{
	'Ĳ': "IJ", 'ĳ': "ij", 'ŉ': "ʼn",
	'Ǳ': "DZ", 'ǲ': "Dz", 'ǳ': "dz", 'Ǆ': "DŽ", 'ǅ': "Dž", 'ǆ': "dž",
	'Ǉ': "LJ", 'ǈ': "Lj", 'ǉ': "lj", 'Ǌ': "NJ", 'ǋ': "Nj", 'ǌ': "nj",
	'ﬀ': "ff", 'ﬁ': "fi", 'ﬂ': "fl", 'ﬃ': "ffi", 'ﬄ': "ffl", 'ﬅ': "ſt", 'ﬆ': "st",
}

// fixCharacters handles C1 controls, ligatures, width and quotes, in this order: what one makes, the next sees.
func fixCharacters(text string) string {
	var out strings.Builder
	one := func(r rune) {
		switch {
		case r == 0x3000:
			out.WriteByte(' ')
		case r >= 0xff01 && r <= 0xffef:
			for _, w := range norm.NFKC.String(string(r)) {
				out.WriteRune(straight(w))
			}
		default:
			out.WriteRune(straight(r))
		}
	}
	for _, r := range text {
		if r >= 0x80 && r <= 0x9f {
			r = windows1252(byte(r))
		}
		if l, ok := ligatures[r]; ok {
			for _, r := range l {
				one(r)
			}
			continue
		}
		one(r)
	}
	return out.String()
}

func straight(r rune) rune {
	switch {
	case r == 0x2bc || r >= 0x2018 && r <= 0x201b:
		return '\''
	case r >= 0x201c && r <= 0x201f:
		return '"'
	}
	return r
}

var lineBreaks = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n", "\u0085", "\n")

func fixLineBreaks(text string) string { return lineBreaks.Replace(text) }

// removeTerminalEscapes drops ESC [ digits and semicolons, letter.
func removeTerminalEscapes(text string) string {
	if !strings.Contains(text, "\x1b[") {
		return text
	}
	var out strings.Builder
	for i := 0; i < len(text); {
		if n := terminalEscape(text[i:]); n > 0 {
			i += n
			continue
		}
		out.WriteByte(text[i])
		i++
	}
	return out.String()
}

func terminalEscape(s string) int {
	if !strings.HasPrefix(s, "\x1b[") {
		return 0
	}
	for i, r := range s {
		switch {
		case i < 2 || r == ';' || unicode.Is(unicode.Nd, r):
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z':
			return i + 1
		default:
			return 0
		}
	}
	return 0
}

// removeControls drops characters that have no place in text: most of C0, DEL, deprecated formatting, interlinear
// annotation, U+FEFF.
func removeControls(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r < 0x09, r == 0x0b, r >= 0x0e && r < 0x20, r == 0x7f,
			r >= 0x206a && r <= 0x206f, r == 0xfeff, r >= 0xfff9 && r <= 0xfffc:
			return -1
		}
		return r
	}, text)
}

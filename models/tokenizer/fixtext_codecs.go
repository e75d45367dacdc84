package tokenizer

// The single-byte encodings that text may have been read in by mistake, and UTF-8 with its two old variants.
// Tables come from golang.org/x/text; bytes without a character stand for themselves, as WHATWG and "sloppy" codecs have it.

import (
	"sync"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// codec is one single-byte encoding.
type codec struct {
	name   string
	sloppy bool // byte 1A stands for U+FFFD
	to     [256]rune
	from   map[rune]byte
}

// codecs lists them in the order they are tried. The first seven share the Latin-1 layout (codecsLikeLatin1).
var codecs = sync.OnceValue(func() []*codec {
	list := []*codec{{name: "latin-1"}, {name: "windows-1252", sloppy: true}, {name: "windows-1251", sloppy: true},
		{name: "windows-1250", sloppy: true}, {name: "windows-1253", sloppy: true}, {name: "windows-1254", sloppy: true},
		{name: "windows-1257", sloppy: true}, {name: "iso-8859-2"}, {name: "macroman"}, {name: "cp437"}}
	maps := []*charmap.Charmap{charmap.ISO8859_1, charmap.Windows1252, charmap.Windows1251, charmap.Windows1250, charmap.Windows1253,
		charmap.Windows1254, charmap.Windows1257, charmap.ISO8859_2, charmap.Macintosh, charmap.CodePage437}
	for i, c := range list {
		c.from = map[rune]byte{}
		for b := range 256 {
			r := maps[i].DecodeByte(byte(b))
			if r == utf8.RuneError || b < 0x80 {
				r = rune(b)
			}
			if c.sloppy && b == 0x1a {
				r = utf8.RuneError
			}
			c.to[b] = r
			c.from[r] = byte(b)
		}
	}
	return list
})

const codecsLikeLatin1 = 7

// encode gives the bytes, or ok false if a character is not in the encoding.
func (c *codec) encode(text []rune) (b []byte, ok bool) {
	b = make([]byte, len(text))
	for i, r := range text {
		v, ok := c.from[r]
		if !ok {
			return nil, false
		}
		b[i] = v
	}
	return b, true
}

// windows1252 reads a byte from 80 to 9F.
func windows1252(b byte) rune { return codecs()[1].to[b] }

// latin1AsWindows1252 reads text of Latin-1 characters as strict Windows-1252; ok is false where that has no character.
func latin1AsWindows1252(text []rune) (out []rune, ok bool) {
	out = make([]rune, len(text))
	for i, r := range text {
		switch r {
		case 0x81, 0x8d, 0x8f, 0x90, 0x9d:
			return nil, false
		}
		out[i] = r
		if r >= 0x80 && r <= 0x9f {
			out[i] = windows1252(byte(r))
		}
	}
	return out, true
}

// decodeUTF8 reads strict UTF-8; with variants also C0 80 for U+0000 and pairs of surrogates of three bytes each (CESU-8).
func decodeUTF8(b []byte, variants bool) (text []rune, ok bool) {
	for len(b) > 0 {
		if variants && len(b) >= 2 && b[0] == 0xc0 && b[1] == 0x80 {
			text, b = append(text, 0), b[2:]
			continue
		}
		if variants && len(b) >= 6 && b[0] == 0xed && b[1]&0xf0 == 0xa0 && b[2]&0xc0 == 0x80 && b[3] == 0xed && b[4]&0xf0 == 0xb0 && b[5]&0xc0 == 0x80 {
			r := rune(b[1]&0x0f)<<16 + rune(b[2]&0x3f)<<10 + rune(b[4]&0x0f)<<6 + rune(b[5]&0x3f) + 0x10000
			text, b = append(text, r), b[6:]
			continue
		}
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n <= 1 {
			return nil, false
		}
		text, b = append(text, r), b[n:]
	}
	return text, true
}

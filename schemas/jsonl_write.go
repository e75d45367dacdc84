package schemas

// Writing MMC4's lines. Reads documents, writes the bytes that encoding/json (strings) and Python (numbers) would.

import (
	"io"
	"math/bits"
	"slices"
	"strconv"
	"unicode/utf8"

	"mmc4/internal/jsonscan"
)

// JSONLWriter writes documents as lines, with MMC4's field names and its way of printing: similarities are float32
// values, printed as Python prints them, in full.
type JSONLWriter struct {
	w     io.Writer
	lines []byte
}

// enoughLines is how many bytes are written at once, or some more.
const enoughLines = 1 << 18

// NewJSONLWriter writes to w, many lines a call. Flush when done.
func NewJSONLWriter(w io.Writer) *JSONLWriter { return &JSONLWriter{w: w} }

// WriteJSONL writes one document as a line.
func WriteJSONL(w io.Writer, d *Document) error {
	lines := NewJSONLWriter(w)
	if err := lines.Write(d); err != nil {
		return err
	}
	return lines.Flush()
}

// Write writes a document as a line, or nothing if its shapes disagree.
func (w *JSONLWriter) Write(d *Document) error {
	if err := d.validateShapes(); err != nil {
		return err
	}
	w.lines = appendLine(w.lines, d)
	if len(w.lines) < enoughLines {
		return nil
	}
	return w.Flush()
}

// Flush writes what is held back.
func (w *JSONLWriter) Flush() error {
	_, err := w.w.Write(w.lines)
	w.lines = w.lines[:0]
	return err
}

func appendLine(b []byte, d *Document) []byte {
	b = append(b, `{"image_info":[`...)
	for i := range d.ImageInfo {
		image := &d.ImageInfo[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"face_detections":null,"image_name":`...)
		b = appendJSONString(b, image.ImageName)
		b = append(b, `,"matched_sim":`...)
		b = appendFloat(b, image.MatchedSim)
		b = append(b, `,"matched_text_index":`...)
		b = strconv.AppendInt(b, int64(image.MatchedTextIndex), 10)
		b = append(b, `,"raw_url":`...)
		b = append(appendJSONString(b, image.RawURL), '}')
	}
	b = append(b, `],"similarity_matrix":[`...)
	for i, row := range d.SimilarityMatrix {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '[')
		for j, v := range row {
			if j > 0 {
				b = append(b, ',')
			}
			b = appendFloat(b, v)
		}
		b = append(b, ']')
	}
	b = append(b, `],"text_list":[`...)
	for i, s := range d.TextList {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJSONString(b, s)
	}
	b = append(b, `],"url":`...)
	b = appendJSONString(b, d.URL)
	b = append(b, `,"could_have_url_duplicate":`...)
	b = strconv.AppendInt(b, int64(d.CouldHaveURLDuplicate), 10)
	return append(b, "}\n"...)
}

// appendJSONString appends a string as JSON, as encoding/json does without its escapes for HTML: non-ASCII letters as they
// are, but U+2028 and U+2029 escaped, and U+FFFD, escaped, for each byte that is not UTF-8.
func appendJSONString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(slices.Grow(b, len(s)+2), '"')
	start := 0 // s[start:i] is yet to be copied
	for i := plain(s, 0); i < len(s); i = plain(s, i) {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			switch {
			case r == utf8.RuneError && size == 1:
				b = append(append(b, s[start:i]...), `\ufffd`...)
				start = i + size
			case r == '\u2028' || r == '\u2029':
				b = append(append(b, s[start:i]...), `\u202`...)
				b = append(b, hex[r&15])
				start = i + size
			}
			i += size
			continue
		}
		b = append(append(b, s[start:i]...), '\\')
		switch c {
		case '"', '\\':
			b = append(b, c)
		case '\b':
			b = append(b, 'b')
		case '\f':
			b = append(b, 'f')
		case '\n':
			b = append(b, 'n')
		case '\r':
			b = append(b, 'r')
		case '\t':
			b = append(b, 't')
		default:
			b = append(b, 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		start = i
	}
	return append(append(b, s[start:]...), '"')
}

// plain is the first place at or after i whose character does not stand in JSON as it is, or is not ASCII.
func plain(s string, i int) int {
	for ; i+8 <= len(s); i += 8 {
		x := eight(s, i)
		if stop := jsonscan.Specials(x) | x&eachHigh; stop != 0 {
			return i + bits.TrailingZeros64(stop)/8
		}
	}
	if len(s) < 8 {
		for i < len(s) && s[i] >= ' ' && s[i] < utf8.RuneSelf && s[i] != '"' && s[i] != '\\' {
			i++
		}
		return i
	}
	x := eight(s, len(s)-8) >> (8 * (8 - (len(s) - i))) // what is left, and zeros, which stop
	return i + bits.TrailingZeros64(jsonscan.Specials(x)|x&eachHigh)/8
}

func eight(s string, i int) uint64 {
	s = s[i : i+8]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

const (
	eachByte = 0x0101010101010101
	eachHigh = 0x80 * eachByte
)

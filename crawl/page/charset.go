package page

// From bytes to text as browsers decode a page: byte order mark, HTTP header, <meta> in the first 1024 bytes, a later <meta>,
// windows-1252. Sources: the HTML standard, "determining the character encoding", and the Encoding standard.

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
)

const prescanBytes = 1024

// document is a page's bytes and how they are to be read.
type document struct {
	body    []byte // without byte order mark
	label   string // of the encoding
	certain bool   // no <meta> further down may change it
}

// determine finds the encoding of a page.
func determine(body []byte, contentType string) document {
	switch {
	case bytes.HasPrefix(body, []byte("\xef\xbb\xbf")):
		return document{body[3:], "utf-8", true}
	case bytes.HasPrefix(body, []byte("\xfe\xff")):
		return document{body[2:], "utf-16be", true}
	case bytes.HasPrefix(body, []byte("\xff\xfe")):
		return document{body[2:], "utf-16le", true}
	}
	if label := headerCharset(contentType); known(label) {
		return document{body, label, true}
	}
	if label := prescan(body[:min(len(body), prescanBytes)]); label != "" {
		return document{body, label, true}
	}
	return document{body, "windows-1252", false}
}

// text is the whole page as UTF-8.
func (d document) text() []byte { return as(d.body, d.label) }

// view gives bytes in which tags can be found, and how values in them are decoded (nil: they are UTF-8). Where bytes below
// 0x80 are ASCII wherever they stand, that is the page itself: only the values that are wanted need decoding.
func (d document) view() (text []byte, value func([]byte) string) {
	if bytes.IndexByte(d.body, 0) < 0 {
		e, err := htmlindex.Get(d.label)
		if err == nil {
			_, single := e.(*charmap.Charmap)
			if single || e == unicode.UTF8 {
				return d.body, func(b []byte) string {
					if ascii(b) || e == unicode.UTF8 && utf8.Valid(b) {
						return string(b)
					}
					decoded, err := e.NewDecoder().Bytes(b)
					if err != nil {
						return string([]rune(string(b)))
					}
					return string(decoded)
				}
			}
		}
	}
	return d.text(), nil
}

// headerCharset finds charset= in a Content-Type header, in any of the forms that are met.
func headerCharset(contentType string) string {
	rest := contentType
	for {
		i := indexFold(rest, "charset")
		if i < 0 {
			return ""
		}
		rest = strings.TrimLeft(rest[i+len("charset"):], " \t\n\f\r\v")
		if !strings.HasPrefix(rest, "=") {
			continue
		}
		value := strings.TrimLeft(rest[1:], " \t\n\f\r\v")
		value = strings.TrimLeft(value, `"'`)
		if end := strings.IndexAny(value, " \t\n\f\r\v;\"'"); end >= 0 {
			value = value[:end]
		}
		return value
	}
}

func indexFold(s, lower string) int {
	for i := 0; i+len(lower) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(lower)], lower) {
			return i
		}
	}
	return -1
}

func known(label string) bool {
	if label == "" {
		return false
	}
	_, err := htmlindex.Get(label)
	return err == nil
}

// metaLabel is the label that a <meta> stands for: UTF-16 cannot be right when the <meta> was readable.
func metaLabel(label string) string {
	e, err := htmlindex.Get(strings.Trim(label, htmlSpace))
	if err != nil {
		return ""
	}
	name, err := htmlindex.Name(e)
	if err != nil {
		return ""
	}
	switch name {
	case "utf-16be", "utf-16le":
		return "utf-8"
	case "x-user-defined":
		return "windows-1252"
	}
	return name
}

// as decodes; NUL becomes U+FFFD, which is what the tokenizer makes of it in tags.
func as(body []byte, label string) []byte {
	text := body
	switch {
	case asciiCompatible(label) && ascii(body):
	case label == "utf-8" && utf8.Valid(body):
	default:
		e, err := htmlindex.Get(label)
		if err != nil {
			break
		}
		if decoded, err := e.NewDecoder().Bytes(body); err == nil {
			text = decoded
		}
	}
	if bytes.IndexByte(text, 0) >= 0 {
		text = bytes.ReplaceAll(text, []byte{0}, []byte("\ufffd"))
	}
	return text
}

// asciiCompatible: a page of ASCII bytes is what it is, whichever of these encodings it has.
func asciiCompatible(label string) bool {
	e, err := htmlindex.Get(label)
	if err != nil {
		return false
	}
	name, _ := htmlindex.Name(e)
	switch name {
	case "utf-16be", "utf-16le", "iso-2022-jp", "replacement", "hz-gb-2312", "":
		return false
	}
	return e != encoding.Replacement
}

func ascii(b []byte) bool {
	const high = 0x8080808080808080
	for len(b) >= 32 {
		if (binary.LittleEndian.Uint64(b)|binary.LittleEndian.Uint64(b[8:])|binary.LittleEndian.Uint64(b[16:])|binary.LittleEndian.Uint64(b[24:]))&high != 0 {
			return false
		}
		b = b[32:]
	}
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// prescan looks for a <meta> that names an encoding ("prescan a byte stream to determine its encoding").
func prescan(b []byte) string {
	for i := 0; i < len(b); {
		next := bytes.IndexByte(b[i:], '<')
		if next < 0 {
			return ""
		}
		i += next
		rest := b[i:]
		switch {
		case bytes.HasPrefix(rest, []byte("<!--")):
			end := bytes.Index(rest[2:], []byte("-->"))
			if end < 0 {
				return ""
			}
			i += 2 + end + 3
		case len(rest) > 5 && bytes.EqualFold(rest[:5], []byte("<meta")) && (isSpace(rest[5]) || rest[5] == '/'):
			t := tag{src: b, at: i + 5}
			label := t.charset()
			if label != "" {
				return label
			}
			i = max(t.at, i+5)
		case len(rest) > 1 && (isLetter(rest[1]) || rest[1] == '/' && len(rest) > 2 && isLetter(rest[2])):
			at := i + 1
			for at < len(b) && !isSpace(b[at]) && b[at] != '>' {
				at++
			}
			t := tag{src: b, at: at}
			for t.next() {
			}
			i = max(t.at, i+1)
		case len(rest) > 1 && (rest[1] == '!' || rest[1] == '/' || rest[1] == '?'):
			end := bytes.IndexByte(rest, '>')
			if end < 0 {
				return ""
			}
			i += end + 1
		default:
			i++
		}
	}
	return ""
}

// charset reads the attributes of a <meta> and gives the encoding that they name, or "".
func (t *tag) charset() string {
	var label string
	var pragma, needPragma, seen bool
	for t.next() {
		switch {
		case !pragma && t.named("http-equiv"):
			pragma = strings.EqualFold(t.value(), "content-type")
		case label == "" && t.named("content"):
			if l := metaLabel(contentCharset(t.value())); l != "" {
				label, needPragma = l, true
			}
		case !seen && t.named("charset"):
			seen = true
			label, needPragma = metaLabel(t.value()), false
		}
	}
	if needPragma && !pragma {
		return ""
	}
	return label
}

// contentCharset is "extracting a character encoding from a meta element".
func contentCharset(s string) string {
	for {
		i := indexFold(s, "charset")
		if i < 0 {
			return ""
		}
		s = strings.TrimLeft(s[i+len("charset"):], htmlSpace)
		if !strings.HasPrefix(s, "=") {
			continue
		}
		s = strings.TrimLeft(s[1:], htmlSpace)
		if s == "" {
			return ""
		}
		if s[0] == '"' || s[0] == '\'' {
			end := strings.IndexByte(s[1:], s[0])
			if end < 0 {
				return ""
			}
			return s[1 : 1+end]
		}
		if end := strings.IndexAny(s, htmlSpace+";"); end >= 0 {
			s = s[:end]
		}
		return s
	}
}

package page

// The fast way: candidates straight from the tags. Tags come in tree order except where the tree builder moves or drops
// elements: in a table outside its cells, in <select>, <template>, <frameset>, in SVG and MathML. A small model of the open
// tables and of foreign content tells these places; an image there casts doubt on the order, and the tree (dom.go) decides.

import (
	"bytes"
	"slices"
)

// scanner is the state between two tags.
type scanner struct {
	src    []byte
	at     int
	sel    Selection
	decode func([]byte) string // of values; nil: they are UTF-8

	doubt    bool // the tree may have another order
	base     string
	haveBase bool
	late     string // what the first <meta> that names an encoding says
	list     []found

	tables   []table
	inSelect bool
	foreign  []string // open elements of SVG or MathML, outermost first
}

// table is an open table. section is its open row group; cell is "td", "th" or "caption" inside one, else "".
type table struct{ section, cell string }

// scan gives what walk gives, and the label of the first <meta> with an encoding. ok is false when the tree may say
// otherwise. text is ASCII-compatible; decode makes UTF-8 of an attribute's value (nil: it is UTF-8 already).
func scan(text []byte, sel Selection, decode func([]byte) string) (base string, list []found, late string, ok bool) {
	s := scanner{src: text, sel: sel, decode: decode}
	for s.at < len(text) {
		n := bytes.IndexByte(text[s.at:], '<')
		if n < 0 || s.at+n+1 >= len(text) {
			break
		}
		s.at += n
		switch c := text[s.at+1]; {
		case isLetter(c):
			s.start()
		case c == '/':
			s.end()
		case c == '!':
			if bytes.HasPrefix(text[s.at:], []byte("<!--")) {
				s.at = comment(text, s.at)
				break
			}
			if len(s.foreign) > 0 && bytes.HasPrefix(text[s.at:], []byte("<![CDATA[")) {
				s.doubt = true
			}
			s.bogus()
		case c == '?':
			s.bogus()
		default:
			s.at++
		}
	}
	return s.base, s.list, s.late, !s.doubt
}

// bogus passes over a bogus comment or a doctype.
func (s *scanner) bogus() {
	n := bytes.IndexByte(s.src[s.at:], '>')
	if n < 0 {
		s.at = len(s.src)
		return
	}
	s.at += n + 1
}

// name reads the tag's name at from, lower-cased into buf; long names are cut, for none of interest is long.
func (s *scanner) name(from int, buf *[16]byte) (name []byte, end int) {
	n := 0
	for end = from; end < len(s.src); end++ {
		c := s.src[end]
		if endsName(c) {
			break
		}
		if n < len(buf) {
			if 'A' <= c && c <= 'Z' {
				c |= 0x20
			}
			buf[n] = c
			n++
		}
	}
	if end-from > len(buf) {
		return nil, end
	}
	return buf[:n], end
}

// start handles a start tag.
func (s *scanner) start() {
	if len(s.foreign) == 0 && s.at+2 < len(s.src) && !wanted[s.src[s.at+1]&31][s.src[s.at+2]&31] {
		s.at = skipTag(s.src, s.at+1)
		return
	}
	var buf [16]byte
	name, end := s.name(s.at+1, &buf)
	t := tag{src: s.src, at: end, decode: s.decode}
	before := s.list
	element, kind := kindOf(name)
	if len(s.foreign) == 0 && kind&media != 0 {
		s.media(element, &t)
	} else {
		t.skip(len(s.foreign) > 0 || kind&foreignRoot != 0)
	}
	s.at = t.at
	if t.cut { // no tag at all
		s.list = before
		return
	}
	if len(s.foreign) > 0 {
		s.foreignStart(string(name), kind, t.selfClosing)
		return
	}
	if kind&^breakout == 0 {
		return
	}
	if s.inSelect && kind&(media|tabular|raw|foreignRoot) != 0 && element != "script" {
		s.doubt = true
	}
	switch {
	case kind&hopeless != 0:
		s.doubt = true
	case kind&media != 0:
		if n := len(s.tables); n > 0 && s.tables[n-1].cell == "" {
			s.doubt = true
		}
	case kind&tabular != 0:
		s.tableStart(element)
	case kind&foreignRoot != 0:
		if !t.selfClosing {
			s.foreign = append(s.foreign, element)
		}
	case kind&raw != 0:
		switch element {
		case "script":
			s.at = scriptText(s.src, s.at)
		case "plaintext":
			s.at = len(s.src)
		default:
			s.at = rawText(s.src, s.at, element)
		}
	case element == "select":
		s.inSelect = !s.inSelect
	case element == "input", element == "keygen":
		s.inSelect = false
	}
}

// media reads the attributes of img, image, source, base and meta.
func (s *scanner) media(element string, t *tag) {
	switch element {
	case "meta":
		if s.late != "" {
			t.skip(true)
		} else if label := t.charset(); !t.cut {
			s.late = label
		}
		return
	case "base":
		var href *string
		for t.next() {
			if href == nil && t.named("href") {
				v := t.value()
				href = &v
			}
		}
		if href != nil && !s.haveBase && !t.cut {
			s.base, s.haveBase = *href, true
		}
		return
	case "source":
		if s.sel == Src {
			for t.next() {
			}
			return
		}
	}
	var values [10]string
	var have [10]bool
	for t.next() {
		for i, name := range attributes {
			if (s.sel == All || i < 2) && t.named(name) {
				if !have[i] {
					values[i], have[i] = t.value(), true
				}
				break
			}
		}
	}
	get := func(name string) (string, bool) {
		i := slices.Index(attributes, name)
		return values[i], have[i]
	}
	if element == "source" {
		s.list = source(s.list, s.sel, get)
	} else {
		s.list = image(s.list, s.sel, get)
	}
}

// attributes of <img> that are read; the first two are all that Src needs.
var attributes = append([]string{"src", "alt", "srcset"}, lazy...)

// tableStart follows the insertion modes of tables.
func (s *scanner) tableStart(element string) {
	n := len(s.tables)
	if element == "table" {
		if n > 0 && s.tables[n-1].cell == "" {
			s.tables[n-1] = table{} // a table directly in a table ends it
		} else {
			s.tables = append(s.tables, table{})
		}
		return
	}
	if n == 0 {
		return // ignored outside tables
	}
	t := &s.tables[n-1]
	t.cell = "" // the next cell, row, group or caption ends the one at hand
	switch element {
	case "td", "th":
		if t.section == "" {
			t.section = "tbody"
		}
		t.cell = element
	case "tr":
		if t.section == "" {
			t.section = "tbody"
		}
	case "caption":
		t.section, t.cell = "", element
	case "col", "colgroup":
		t.section = ""
	default:
		t.section = element
	}
}

// end handles an end tag.
func (s *scanner) end() {
	if s.at+2 >= len(s.src) {
		s.at = len(s.src)
		return
	}
	c := s.src[s.at+2]
	if !isLetter(c) {
		if c == '>' {
			s.at += 3
		} else {
			s.bogus()
		}
		return
	}
	if len(s.foreign) == 0 && s.at+3 < len(s.src) && !wanted[c&31][s.src[s.at+3]&31] {
		s.at = skipTag(s.src, s.at+2)
		return
	}
	var buf [16]byte
	name, end := s.name(s.at+2, &buf)
	s.at = skipTag(s.src, end)
	switch {
	case len(s.foreign) > 0:
		s.foreignEnd(string(name))
	case string(name) == "select":
		s.inSelect = false
	default:
		if element, kind := kindOf(name); kind&tabular != 0 {
			s.doubt = s.doubt || s.inSelect
			s.tableEnd(element)
		}
	}
}

func (s *scanner) tableEnd(element string) {
	n := len(s.tables)
	if n == 0 {
		return
	}
	t := &s.tables[n-1]
	switch element {
	case "table":
		s.tables = s.tables[:n-1]
	case "td", "th", "caption":
		if t.cell == element {
			t.cell = ""
		}
	case "tr":
		if t.cell != "caption" {
			t.cell = ""
		}
	case "tbody", "thead", "tfoot":
		if t.section == element {
			t.section, t.cell = "", ""
		}
	}
}

// foreignStart follows SVG and MathML. Where HTML elements come into it or end it, it is left with a doubt.
func (s *scanner) foreignStart(element string, kind kindSet, selfClosing bool) {
	html := kind&(breakout|tabular) != 0 || kind&media != 0 && element != "image"
	switch s.foreign[len(s.foreign)-1] {
	case "foreignobject", "desc", "title", "mi", "mo", "mn", "ms", "mtext", "annotation-xml":
		html = true
	}
	if html {
		s.doubt, s.foreign = true, nil
	} else if !selfClosing {
		s.foreign = append(s.foreign, element)
	}
}

func (s *scanner) foreignEnd(element string) {
	for i := len(s.foreign) - 1; i >= 0; i-- {
		if s.foreign[i] == element {
			s.foreign = s.foreign[:i]
			return
		}
	}
	s.doubt, s.foreign = true, nil
}

// kindSet says what an element is to scan.
type kindSet uint8

const (
	media       kindSet = 1 << iota // read for candidates, base or encoding
	raw                             // its content is text
	tabular                         // part of a table
	foreignRoot                     // svg, math
	breakout                        // ends SVG and MathML
	hopeless                        // what comes after it needs the tree
	other
)

// wanted tells by the first two letters whether an element may be of a kind that counts outside SVG and MathML.
var wanted = func() (t [32][32]bool) {
	for _, pair := range []string{"im", "if", "in", "me", "ma", "so", "sc", "st", "sv", "se", "ba", "ti", "te", "ta", "td", "tr", "th", "tb", "tf", "xm", "no", "pl", "ca", "co", "fr", "ke"} {
		t[pair[0]&31][pair[1]&31] = true
	}
	return
}()

// elements are those that say something to scan.
var elements = func() map[string]element {
	all := map[string]element{}
	add := func(kind kindSet, names ...string) {
		for _, name := range names {
			all[name] = element{name, all[name].kind | kind}
		}
	}
	add(media, "img", "meta", "image", "source", "base")
	add(raw, "title", "textarea", "style", "xmp", "iframe", "noembed", "noframes", "script", "plaintext")
	add(tabular, "table", "caption", "col", "colgroup", "tbody", "thead", "tfoot", "tr", "td", "th")
	add(foreignRoot, "svg", "math")
	add(hopeless, "template", "frameset")
	add(other, "select", "input", "keygen")
	add(breakout, "img", "meta", "table", "b", "big", "blockquote", "body", "br", "center", "code", "dd", "div", "dl", "dt", "em", "embed", "font", "h1",
		"h2", "h3", "h4", "h5", "h6", "head", "hr", "i", "li", "listing", "menu", "nobr", "ol", "p", "pre", "ruby", "s", "small", "span", "strong",
		"strike", "sub", "sup", "tt", "u", "ul", "var")
	return all
}()

type element struct {
	name string
	kind kindSet
}

// kindOf looks an element up, given in lower case; the name is "" for one that is not known.
func kindOf(element []byte) (name string, kind kindSet) {
	k := elements[string(element)]
	return k.name, k.kind
}

package warc

// Heads of WARC records and HTTP messages: lines of "Name: value", with folding, bare LF and other habits of the wild.

import (
	"strings"
	"unicode/utf8"
)

// Field is one line of a head; Name as it was written.
type Field struct{ Name, Value string }

// Header is a head in its order, repeats kept.
type Header []Field

// Get gives the first value of a name, case ignored, or "".
func (h Header) Get(name string) string {
	for i := range h {
		if len(h[i].Name) == len(name) && strings.EqualFold(h[i].Name, name) {
			return h[i].Value
		}
	}
	return ""
}

// Values gives all values of a name, case ignored.
func (h Header) Values(name string) []string {
	var values []string
	for i := range h {
		if strings.EqualFold(h[i].Name, name) {
			values = append(values, h[i].Value)
		}
	}
	return values
}

// headLines takes the lines of a head, without their ends, into h. A line that begins with white space goes on with the one before
// it; a line without a colon is passed over. end must come last.
type headLines struct {
	h      Header
	folded []byte // the value of the last field, while it is longer than its line
}

func (l *headLines) add(line []byte) {
	if line[0] == ' ' || line[0] == '\t' {
		l.fold(line)
		return
	}
	name, value, ok := strings.Cut(string(line), ":")
	if !ok {
		return
	}
	l.end()
	l.h = append(l.h, Field{text(strings.TrimRight(name, " \t")), text(strings.TrimSpace(value))})
}

func (l *headLines) fold(line []byte) {
	more := strings.TrimSpace(text(strings.TrimSpace(string(line))))
	if len(l.h) == 0 || more == "" {
		return
	}
	if l.folded == nil {
		l.folded = []byte(strings.TrimSpace(l.h[len(l.h)-1].Value))
	}
	if len(l.folded) > 0 {
		l.folded = append(l.folded, ' ')
	}
	l.folded = append(l.folded, more...)
}

// end finishes the last field.
func (l *headLines) end() {
	if l.folded != nil {
		l.h[len(l.h)-1].Value, l.folded = string(l.folded), nil
	}
}

// text makes a head's bytes valid UTF-8: what is not is read as Latin-1.
func text(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	runes := make([]rune, len(s))
	for i := range len(s) {
		runes[i] = rune(s[i])
	}
	return string(runes)
}

// splitHead parses the head at the start of a block; rest is what follows its empty line.
func splitHead(block []byte, limit int) (start string, h Header, rest []byte) {
	first := true
	read := 0
	var lines headLines
	for len(block) > 0 {
		end := indexByte(block, '\n')
		line := block
		if end >= 0 {
			line, block = block[:end], block[end+1:]
		} else {
			block = nil
		}
		if read += len(line) + 1; read > limit {
			break
		}
		for len(line) > 0 && line[len(line)-1] == '\r' {
			line = line[:len(line)-1]
		}
		if len(line) == 0 {
			break
		}
		if first {
			start, first = text(string(line)), false
			continue
		}
		lines.add(line)
	}
	lines.end()
	return start, lines.h, block
}

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

// add parses one line without its end. A line that begins with white space goes on with the one before it; a line without
// a colon is passed over.
func (h Header) add(line string) Header {
	if line[0] == ' ' || line[0] == '\t' {
		if len(h) > 0 {
			last := &h[len(h)-1]
			last.Value = strings.TrimSpace(last.Value + " " + text(strings.TrimSpace(line)))
		}
		return h
	}
	name, value, ok := strings.Cut(line, ":")
	if !ok {
		return h
	}
	return append(h, Field{text(strings.TrimRight(name, " \t")), text(strings.TrimSpace(value))})
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
	for len(block) > 0 {
		end := indexByte(block, '\n')
		line := block
		if end >= 0 {
			line, block = block[:end], block[end+1:]
		} else {
			block = nil
		}
		if read += len(line) + 1; read > limit {
			return start, h, block
		}
		for len(line) > 0 && line[len(line)-1] == '\r' {
			line = line[:len(line)-1]
		}
		if len(line) == 0 {
			return start, h, block
		}
		if first {
			start, first = text(string(line)), false
			continue
		}
		h = h.add(string(line))
	}
	return start, h, nil
}

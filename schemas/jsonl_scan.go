package schemas

// The quick way through a line: a scanner of just MMC4's fields. It reads a line and makes what parseAnyLine
// (jsonl.go), by encoding/json, makes of it, or gives the line up: what is unusual, wrong or missing is for that one to
// judge.

import (
	"strconv"

	"mmc4/internal/jsonscan"
)

// lineScanner reads lines one after another into one document, all of whose memory but that of strings is used again.
type lineScanner struct {
	jsonscan.Scanner // whose Chars are all strings of the line, one after another; they become one string

	doc UnsplitDocument

	url, text piece
	texts     []piece
	images    []ImageInfo
	named     []imageStrings // of images
	values    []float32      // of the whole matrix
	ends      []int          // of its rows in values

	// The document's own, so that what a caller puts in their place is not written to.
	textList []string
	matrix   [][]float32
}

// piece is a part of Chars.
type piece struct{ from, to int }

type imageStrings struct{ name, url piece }

// Bits of the fields that a line has had. One that comes twice is given up: encoding/json merges some.
const (
	hasURL = 1 << iota
	hasText
	hasTexts
	hasImages
	hasMatrix
	hasDuplicate
	hasName
	hasRawURL
	hasIndex
	hasSim
)

// scan reads a line that has a url. The document is good until the next scan.
func (s *lineScanner) scan(line []byte) (*UnsplitDocument, bool) {
	s.Text, s.At, s.Chars, s.url, s.text = line, 0, s.Chars[:0], piece{}, piece{}
	s.texts, s.images, s.named, s.values, s.ends = s.texts[:0], s.images[:0], s.named[:0], s.values[:0], s.ends[:0]
	duplicate, has := int32(0), 0
	ok := s.Object(func(key []byte) bool {
		field, read := 0, false
		switch string(key) {
		case "url":
			field = hasURL
			s.url, read = s.chunk()
		case "text":
			field = hasText
			s.text, read = s.chunk()
		case "text_list":
			field = hasTexts
			read = s.List(s.oneText)
		case "image_info":
			field = hasImages
			read = s.List(s.oneImage)
		case "similarity_matrix":
			field = hasMatrix
			read = s.List(s.row)
		case "could_have_url_duplicate":
			field = hasDuplicate
			duplicate, read = s.Integer()
		default:
			return s.Skip(0)
		}
		read = read && has&field == 0
		has |= field
		return read
	})
	s.Space()
	if !ok || s.At != len(line) || has&hasURL == 0 {
		return nil, false
	}
	s.fill()
	s.doc.CouldHaveURLDuplicate = duplicate
	return &s.doc, true
}

// fill makes the document of what was read.
func (s *lineScanner) fill() {
	all := string(s.Chars)
	of := func(p piece) string { return all[p.from:p.to] }
	s.textList, s.matrix = s.textList[:0], s.matrix[:0]
	for _, t := range s.texts {
		s.textList = append(s.textList, of(t))
	}
	for i, named := range s.named {
		s.images[i].ImageName, s.images[i].RawURL = of(named.name), of(named.url)
	}
	start := 0
	for _, end := range s.ends {
		s.matrix = append(s.matrix, s.values[start:end:end])
		start = end
	}
	s.doc = UnsplitDocument{Text: of(s.text), Document: Document{
		URL: of(s.url), TextList: s.textList, ImageInfo: s.images, SimilarityMatrix: s.matrix,
	}}
}

// chunk reads a string into Chars.
func (s *lineScanner) chunk() (piece, bool) {
	from := len(s.Chars)
	b, ok := s.Str()
	if len(s.Chars) == from { // no escapes
		s.Chars = append(s.Chars, b...)
	}
	return piece{from, len(s.Chars)}, ok
}

func (s *lineScanner) oneText() bool {
	t, ok := s.chunk()
	s.texts = append(s.texts, t)
	return ok
}

func (s *lineScanner) oneImage() bool {
	var named imageStrings
	s.images = append(s.images, ImageInfo{})
	image := &s.images[len(s.images)-1]
	has := 0
	ok := s.Object(func(key []byte) bool {
		field, read := 0, false
		switch string(key) {
		case "image_name":
			field = hasName
			named.name, read = s.chunk()
		case "raw_url":
			field = hasRawURL
			named.url, read = s.chunk()
		case "matched_text_index":
			field = hasIndex
			image.MatchedTextIndex, read = s.Integer()
		case "matched_sim":
			field = hasSim
			image.MatchedSim, read = s.number()
		default:
			return s.Skip(0)
		}
		read = read && has&field == 0
		has |= field
		return read
	})
	s.named = append(s.named, named)
	return ok
}

// row reads an array of numbers into values.
func (s *lineScanner) row() bool {
	ok := s.numbers()
	s.ends = append(s.ends, len(s.values))
	return ok
}

func (s *lineScanner) numbers() bool {
	if !s.Next('[') {
		return false
	}
	if s.Next(']') {
		return true
	}
	for {
		s.similarities()
		v, ok := s.number()
		if !ok {
			return false
		}
		s.values = append(s.values, v)
		if s.Next(']') {
			return true
		}
		if !s.Next(',') {
			return false
		}
	}
}

// similarities reads numbers as similarities are written, each with a comma behind it and one space at most before it, as
// far as it goes.
func (s *lineScanner) similarities() {
	line, at, values := s.Text, s.At, s.values // in registers
	for {
		v, end, ok := similarity(line, at)
		if !ok || line[end] != ',' {
			break
		}
		values = append(values, v)
		at = end + 1
	}
	s.At, s.values = at, values
}

// number reads a float32.
func (s *lineScanner) number() (float32, bool) {
	if v, end, ok := similarity(s.Text, s.At); ok {
		s.At = end
		return v, true
	}
	n, ok := s.Numeral()
	if !ok {
		return 0, false
	}
	if n.Plain {
		if v, ok := float32Of(n.Digits, n.Places); ok {
			if n.Negative {
				v = -v
			}
			return v, true
		}
	}
	v, err := strconv.ParseFloat(string(s.Text[n.Start:s.At]), 32)
	return float32(v), err == nil
}

// similarity reads a number at line[i], after one space at most, as similarities are written: a zero and a fraction, and
// right behind it, at end, a comma or bracket.
func similarity(line []byte, i int) (v float32, end int, ok bool) {
	if i < len(line) && line[i] == ' ' {
		i++
	}
	negative := i < len(line) && line[i] == '-'
	if negative {
		i++
	}
	if i+2 > len(line) || line[i] != '0' || line[i+1] != '.' {
		return 0, 0, false
	}
	start := i + 2
	var digits uint64
	if end = start; end+8 < len(line) { // eight digits, most often: without a call
		if n, ok := jsonscan.Eight(line[end:]); ok {
			digits, end = n, end+8
		}
	}
	if end == start || line[end]-'0' <= 9 {
		digits, end = jsonscan.Decimals(digits, line, end)
	}
	places := end - start
	if places == 0 || places > 18 || end == len(line) || line[end] != ',' && line[end] != ']' {
		return 0, 0, false
	}
	v, ok = float32Of(digits, places)
	if negative {
		v = -v
	}
	return v, end, ok
}

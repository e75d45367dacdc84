package schemas

// A line of MMC4 to a document, in one pass: what a line lacks, or has as null, stays zero; members that MMC4 does not
// have are passed over.

import (
	"errors"
	"math"
	"strconv"

	"mmc4/internal/jsonscan"
)

// lineScanner reads lines one after another into one document, all of whose memory but that of strings is used again.
type lineScanner struct {
	jsonscan.Scanner

	doc UnsplitDocument

	chars     []byte // all strings of the line, one after another; they become one string
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

// piece is a part of chars.
type piece struct{ from, to int }

type imageStrings struct{ name, url piece }

// scan reads a line; its text only if it is unsplit. The document is good until the next scan.
func (s *lineScanner) scan(line []byte, unsplit bool) (*UnsplitDocument, error) {
	s.Reset(line)
	s.chars, s.url, s.text = s.chars[:0], piece{}, piece{}
	s.texts, s.images, s.named, s.values, s.ends = s.texts[:0], s.images[:0], s.named[:0], s.values[:0], s.ends[:0]
	duplicate, hasURL := int32(0), false
	if s.Want('{') {
		for s.Enter('{'); s.More('}'); {
			switch string(s.Key()) {
			case "url":
				hasURL = s.Kind() == '"'
				s.url = s.chunk()
			case "text":
				if unsplit {
					s.text = s.chunk()
				} else {
					s.Skip()
				}
			case "text_list":
				s.texts = s.texts[:0]
				if s.Want('[') {
					for s.Enter('['); s.More(']'); {
						s.texts = append(s.texts, s.chunk())
					}
				}
			case "image_info":
				s.images, s.named = s.images[:0], s.named[:0]
				if s.Want('[') {
					for s.Enter('['); s.More(']'); {
						s.image()
					}
				}
			case "similarity_matrix":
				s.values, s.ends = s.values[:0], s.ends[:0]
				if s.Want('[') {
					for s.Enter('['); s.More(']'); {
						s.row()
					}
				}
			case "could_have_url_duplicate":
				duplicate = s.integer()
			default:
				s.Skip()
			}
		}
	}
	if err := s.End(); err != nil {
		return nil, err
	}
	if !hasURL {
		return nil, errors.New("no url")
	}
	s.fill()
	s.doc.CouldHaveURLDuplicate = duplicate
	return &s.doc, nil
}

// fill makes the document of what was read.
func (s *lineScanner) fill() {
	all := string(s.chars)
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

// chunk reads a string into chars.
func (s *lineScanner) chunk() piece {
	from := len(s.chars)
	if s.Want('"') {
		s.chars, _ = s.Append(s.chars)
	}
	return piece{from, len(s.chars)}
}

func (s *lineScanner) image() {
	var image ImageInfo
	var named imageStrings
	if s.Want('{') {
		for s.Enter('{'); s.More('}'); {
			switch string(s.Key()) {
			case "image_name":
				named.name = s.chunk()
			case "raw_url":
				named.url = s.chunk()
			case "matched_text_index":
				image.MatchedTextIndex = s.integer()
			case "matched_sim":
				image.MatchedSim = s.number()
			default:
				s.Skip()
			}
		}
	}
	s.images, s.named = append(s.images, image), append(s.named, named)
}

// row reads an array of numbers into values.
func (s *lineScanner) row() {
	if s.Want('[') {
		for s.Enter('['); s.More(']'); {
			s.similarities()
			if s.Kind() == 'n' {
				s.Fail("expected a similarity, found null")
			}
			s.values = append(s.values, s.number())
		}
	}
	s.ends = append(s.ends, len(s.values))
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
func (s *lineScanner) number() float32 {
	if v, end, ok := similarity(s.Text, s.At); ok {
		s.At = end
		return v
	}
	if !s.Want('0') {
		return 0
	}
	n := s.Number()
	if n.Plain {
		if v, ok := float32Of(n.Digits, n.Places); ok {
			if n.Negative {
				v = -v
			}
			return v
		}
	}
	v, err := strconv.ParseFloat(string(s.Text[n.From:s.At]), 32)
	if err != nil {
		s.FailAt(n.From, "the number does not fit into a float32")
	}
	return float32(v)
}

func (s *lineScanner) integer() int32 {
	if !s.Want('0') {
		return 0
	}
	at := s.At
	v, ok := s.Int()
	if !ok || v < math.MinInt32 || v > math.MaxInt32 {
		s.FailAt(at, "expected a whole number of 32 bits")
	}
	return int32(v)
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

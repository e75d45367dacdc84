package schemas

// MMC4's own form: one JSON object a line, as allenai/mmc4 publishes its documents. It keeps text, matches and
// similarities; sizes, hashes, the page and the bytes have no place in it.

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"strconv"
	"strings"
)

// WriteJSONL writes a document as a line, with MMC4's field names and its way of printing: similarities are float32
// values, printed as Python prints them, in full.
func WriteJSONL(w io.Writer, d *Document) error {
	if err := d.validateShapes(); err != nil {
		return err
	}
	b := []byte(`{"image_info":[`)
	for i := range d.ImageInfo {
		image := &d.ImageInfo[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"face_detections":null,"image_name":`...)
		b = appendJSON(b, image.ImageName)
		b = append(b, `,"matched_sim":`...)
		b = appendFloat(b, image.MatchedSim)
		b = append(b, `,"matched_text_index":`...)
		b = strconv.AppendInt(b, int64(image.MatchedTextIndex), 10)
		b = append(b, `,"raw_url":`...)
		b = append(appendJSON(b, image.RawURL), '}')
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
		b = appendJSON(b, s)
	}
	b = append(b, `],"url":`...)
	b = appendJSON(b, d.URL)
	b = append(b, `,"could_have_url_duplicate":`...)
	b = strconv.AppendInt(b, int64(d.CouldHaveURLDuplicate), 10)
	_, err := w.Write(append(b, "}\n"...))
	return err
}

// appendJSON appends a string as JSON, with non-ASCII letters as they are.
func appendJSON(b []byte, s string) []byte {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	e.Encode(s) // a string cannot fail
	return append(b, bytes.TrimSuffix(buf.Bytes(), []byte("\n"))...)
}

// appendFloat appends a float32 as Python prints the float64 of the same value. JSON has no NaN; it becomes null.
func appendFloat(b []byte, f float32) []byte {
	v := float64(f)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return append(b, "null"...)
	}
	if exponent := math.Abs(v); v != 0 && (exponent < 1e-4 || exponent >= 1e16) {
		return strconv.AppendFloat(b, v, 'e', -1, 64)
	}
	s := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return append(b, s...)
}

// maxJSONLine bounds a line that is read.
const maxJSONLine = 256 << 20

// mmc4Line is a line of MMC4; pointers tell what is missing.
type mmc4Line struct {
	URL       *string      `json:"url"`
	TextList  []string     `json:"text_list"`
	ImageInfo []mmc4Image  `json:"image_info"`
	Matrix    [][]*float32 `json:"similarity_matrix"`
	Duplicate int32        `json:"could_have_url_duplicate"`
}

type mmc4Image struct {
	ImageName string  `json:"image_name"`
	RawURL    string  `json:"raw_url"`
	Index     int32   `json:"matched_text_index"`
	Sim       float32 `json:"matched_sim"`
}

// ReadJSONL yields the documents of MMC4 lines; name stands in errors. A bad line gives an error with its number, and
// reading goes on with the next; a failure to read ends it. What the form lacks stays zero: DocID, Timestamp, sizes.
func ReadJSONL(r io.Reader, name string) iter.Seq2[*Document, error] {
	return func(yield func(*Document, error) bool) {
		lines := bufio.NewReaderSize(r, 1<<20)
		for n := 1; ; n++ {
			line, err := readLine(lines)
			if err == io.EOF {
				return
			}
			if err != nil && !errors.Is(err, errLongLine) {
				yield(nil, fmt.Errorf("%s line %d: %w", name, n, err))
				return
			}
			var d *Document
			if err == nil {
				if len(bytes.TrimSpace(line)) == 0 {
					continue
				}
				d, err = parseLine(line)
			}
			if err != nil {
				d, err = nil, fmt.Errorf("%s line %d: %w", name, n, err)
			}
			if !yield(d, err) {
				return
			}
		}
	}
}

var errLongLine = fmt.Errorf("the line is longer than %d bytes", maxJSONLine)

// readLine reads a line without its end; of one that is too long nothing is kept.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	long := false
	for {
		part, err := r.ReadSlice('\n')
		if long = long || len(line)+len(part) > maxJSONLine; !long {
			line = append(line, part...)
		}
		switch {
		case err == bufio.ErrBufferFull:
			continue
		case err == io.EOF && len(line) == 0 && !long:
			return nil, io.EOF
		case err != nil && err != io.EOF:
			return nil, err
		case long:
			return nil, errLongLine
		}
		return line, nil
	}
}

func parseLine(line []byte) (*Document, error) {
	var in mmc4Line
	if err := json.Unmarshal(line, &in); err != nil {
		return nil, err
	}
	if in.URL == nil {
		return nil, errors.New("no url")
	}
	d := &Document{URL: *in.URL, TextList: in.TextList, CouldHaveURLDuplicate: in.Duplicate}
	for _, image := range in.ImageInfo {
		d.ImageInfo = append(d.ImageInfo, ImageInfo{ImageName: image.ImageName, RawURL: image.RawURL, MatchedTextIndex: image.Index, MatchedSim: image.Sim})
	}
	for i, row := range in.Matrix {
		values := make([]float32, len(row))
		for j, v := range row {
			if v == nil {
				return nil, fmt.Errorf("row %d of similarity_matrix has no number at %d", i, j)
			}
			values[j] = *v
		}
		d.SimilarityMatrix = append(d.SimilarityMatrix, values)
	}
	return d, d.validateShapes()
}

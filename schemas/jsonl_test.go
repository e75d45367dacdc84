package schemas

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"mmc4/internal/jsonscan"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// encoded is a string as encoding/json prints it.
func encoded(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(s)
	return strings.TrimSuffix(b.String(), "\n")
}

func FuzzJSONString(f *testing.F) {
	for c := range 256 {
		f.Add("1234567" + string([]byte{byte(c)}) + "abcdefgh" + string(rune(c)))
	}
	for _, s := range []string{"", "<b> & “zwei”\u2028\u2029\u202a", "\xe2\x80", "é\xff12345678\"\\", "\U0001f600\ufffd"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want := encoded(s)
		if got := string(appendJSONString(nil, s)); got != want {
			t.Fatalf("%q is printed as %s, want %s", s, got, want)
		}
		// And it is read as encoding/json reads it.
		var back string
		if err := json.Unmarshal([]byte(want), &back); err != nil {
			t.Fatal(err)
		}
		if got, ok := jsonscan.New([]byte(want)).String(); !ok || got != back {
			t.Fatalf("%s is read as %q, %v, want %q", want, got, ok, back)
		}
	})
}

// TestFloatText prints and reads float32 values as strconv does: of all exponents near those of similarities, of all bits,
// and those with few digits.
func TestFloatText(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	quick := 0
	check := func(f float32) {
		got, want := string(appendFloat(nil, f)), string(appendAnyFloat(nil, f))
		if got != want {
			t.Fatalf("%g is printed as %s, want %s", f, got, want)
		}
		if _, _, ok := shortest(f); ok {
			quick++
		}
		for _, text := range []string{want, strconv.FormatFloat(float64(f), 'g', -1, 32), strconv.FormatFloat(float64(f), 'f', 18, 64),
			strconv.FormatFloat((float64(f)+float64(math.Nextafter32(f, 9)))/2, 'f', 16, 64)} {
			parsed, err := strconv.ParseFloat(text, 32)
			if text == "null" || !json.Valid([]byte(text)) {
				continue // NaN
			}
			scanner := lineScanner{Scanner: jsonscan.Scanner{Text: []byte(text)}}
			v := scanner.number()
			ok := scanner.End() == nil
			if ok != (err == nil) || ok && math.Float32bits(v) != math.Float32bits(float32(parsed)) {
				t.Fatalf("%s is read as %g, %v, want %g, %v", text, v, ok, parsed, err)
			}
		}
	}
	const rounds = 150_000
	for range rounds {
		check(math.Float32frombits(uint32(110+rng.IntN(20))<<23 | rng.Uint32()>>9 | rng.Uint32()&(1<<31)))
	}
	if quick < rounds/2 {
		t.Errorf("only %d of %d are printed the quick way", quick, rounds)
	}
	for range 20_000 {
		check(math.Float32frombits(rng.Uint32()))
	}
	for i := range 10_001 {
		check(float32(i) / 10_000)
		check(float32(i) / 8192)
	}
	for _, edge := range []float32{1, 0.5, 0.1, 0.01, 0.001, 1e-4, 0} {
		for f, n := math.Nextafter32(edge, -1), 0; n < 3; f, n = math.Nextafter32(f, 2), n+1 {
			check(f)
			check(-f)
		}
	}
}

// lineSeeds are lines that encoding/json takes or rejects for one reason each.
var lineSeeds = []string{
	published, "{}", "null", "[1]", `{"url":null}`, `{"url":"u"}`, `{"url":"u"} x`, `{"url":"u"`, `{"url":"u",}`, ` { "url" : "u" } ` + "\r",
	`{"url":"u","url":"v"}`, `{"URL":"u"}`, `{"url":"u","Text_List":["a"]}`, `{"url":"u","text_li\u0073t":["a"]}`, `{"url":"u","text_li` + "ſ" + `t":["a"]}`,
	`{"url":"u","text_list":[]}`, `{"url":"u","text_list":null}`, `{"url":"u","text_list":[null]}`, `{"url":"u","text_list":["a",]}`, `{"url":"u","text_list":{}}`,
	`{"url":"u","text":"t\n\ud83d\ude00\u00e9"}`, `{"url":"u","text":5}`, `{"url":"u","text":null}`, `{"url":"\ud83d"}`, `{"url":"\ud83d\u0041"}`, `{"url":"\ude00"}`,
	`{"url":"\x"}`, `{"url":"\u12"}`, "{\"url\":\"a\tb\"}", "{\"url\":\"a\xffb\"}", `{"url":"` + "\xe2\\u0080" + `"}`, `{"url":"u","x":{"A":[1,{"b":null}],"c":true},"y":[false,-1.5e-3,"\/"]}`,
	`{"url":"u","x":01}`, `{"url":"u","x":-}`, `{"url":"u","x":1.}`, `{"url":"u","x":1e}`, `{"url":"u","x":nul}`, `{"url":"u","x":truex}`, `{"url":"u","x":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`,
	`{"url":"u","could_have_url_duplicate":1}`, `{"url":"u","could_have_url_duplicate":-0}`, `{"url":"u","could_have_url_duplicate":1.0}`, `{"url":"u","could_have_url_duplicate":1e0}`,
	`{"url":"u","could_have_url_duplicate":9999999999}`, `{"url":"u","could_have_url_duplicate":2147483647}`, `{"url":"u","could_have_url_duplicate":36893488147419103233}`,
	`{"url":"u","similarity_matrix":[]}`, `{"url":"u","similarity_matrix":[[],null,[1]]}`, `{"url":"u","similarity_matrix":[[],[1,2.5e-1,-0]]}`, `{"url":"u","similarity_matrix":[[null]]}`,
	`{"url":"u","similarity_matrix":[[1e39]]}`, `{"url":"u","similarity_matrix":[[0.1234567890123456789012,123456789012345678901]]}`, `{"url":"u","similarity_matrix":[[NaN]]}`,
	`{"url":"u","image_info":[{"raw_url":"r","raw_url":"s"},{"image_name":null},{}]}`, `{"url":"u","image_info":[null]}`, `{"url":"u","image_info":[{"matched_sim":"1"}]}`,
	`{"url":"u","image_info":[{"a":1}],"image_info":[{}]}`, `{"url":"u","text_list":["a"],"image_info":[{"matched_sim":0.5,"matched_text_index":0}],"similarity_matrix":[[0.5]]}`,
	`{"url":"u","text":"A.","image_info":[{"image_name":"n","raw_url":"r","face_detections":[{"x":1}]}],"similarity_matrix":[[0.25]]}`,
}

// members calls f with each member of an object in turn.
func members(object []byte, f func(key string, value json.RawMessage) error) error {
	d := json.NewDecoder(bytes.NewReader(object))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return fmt.Errorf("no object: %v", err)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		if err := f(key.(string), value); err != nil {
			return err
		}
	}
	return nil
}

// reference reads a line by encoding/json.
func reference(line []byte) (*UnsplitDocument, error) {
	if !json.Valid(line) {
		return nil, errors.New("not JSON")
	}
	var d UnsplitDocument
	var url *string
	err := members(line, func(key string, value json.RawMessage) error {
		switch key {
		case "url":
			url = nil
			return json.Unmarshal(value, &url)
		case "text":
			d.Text = ""
			return json.Unmarshal(value, &d.Text)
		case "text_list":
			d.TextList = nil
			return json.Unmarshal(value, &d.TextList)
		case "could_have_url_duplicate":
			d.CouldHaveURLDuplicate = 0
			return json.Unmarshal(value, &d.CouldHaveURLDuplicate)
		case "similarity_matrix":
			var rows [][]*float32
			err := json.Unmarshal(value, &rows)
			d.SimilarityMatrix = nil
			for _, row := range rows {
				values := make([]float32, len(row))
				for j, v := range row {
					if v == nil {
						return errors.New("null in a row")
					}
					values[j] = *v
				}
				d.SimilarityMatrix = append(d.SimilarityMatrix, values)
			}
			return err
		case "image_info":
			var list []json.RawMessage
			if err := json.Unmarshal(value, &list); err != nil {
				return err
			}
			d.ImageInfo = nil
			for _, one := range list {
				var image ImageInfo
				if string(one) != "null" {
					if err := members(one, func(key string, value json.RawMessage) error {
						to := map[string]any{"image_name": &image.ImageName, "raw_url": &image.RawURL, "matched_text_index": &image.MatchedTextIndex, "matched_sim": &image.MatchedSim}[key]
						if to == nil {
							return nil
						}
						reflect.ValueOf(to).Elem().SetZero()
						return json.Unmarshal(value, to)
					}); err != nil {
						return err
					}
				}
				d.ImageInfo = append(d.ImageInfo, image)
			}
		}
		return nil
	})
	if err == nil && url == nil {
		err = errors.New("no url")
	}
	if err != nil {
		return nil, err
	}
	d.URL = *url
	return &d, nil
}

// sameReading compares what the scanner makes of a line with what encoding/json makes of it.
func sameReading(t *testing.T, scanner *lineScanner, line string) (taken bool) {
	t.Helper()
	got, err := scanner.scan([]byte(line), true)
	want, wantErr := reference([]byte(line))
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("%q: error %v, want %v", line, err, wantErr)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("%q is read otherwise: %s", line, diff)
	}
	return err == nil
}

func TestLineScanner(t *testing.T) {
	var scanner lineScanner
	taken := 0
	for _, line := range lineSeeds {
		if sameReading(t, &scanner, line) {
			taken++
		}
	}
	if taken != 31 {
		t.Errorf("%d of %d lines are taken", taken, len(lineSeeds))
	}
	// Every prefix, and every byte changed to another.
	rng := rand.New(rand.NewPCG(3, 4))
	for _, line := range lineSeeds {
		for i := range min(len(line), 600) {
			const others = "\"\\{}[],:0189-+.eEnA \x00\xc3"
			sameReading(t, &scanner, line[:i])
			changed := []byte(line)
			changed[i] = others[rng.IntN(len(others))]
			sameReading(t, &scanner, string(changed))
		}
	}
}

func FuzzLineScanner(f *testing.F) {
	for _, line := range lineSeeds {
		f.Add(line)
	}
	var scanner lineScanner
	f.Fuzz(func(t *testing.T, line string) { sameReading(t, &scanner, line) })
}

// TestUnsplitJSONL reads a good line and bad ones: the error says where and what.
func TestUnsplitJSONL(t *testing.T) {
	lines := []string{`{"url":"u","text":"A. B.","similarity_matrix":[[0.5,0.25]]}`, `{"text":"D."}`, `{"url":"v","text":5}`, `{"url":"v","text":"`, `{"url":"v","image_info":[{"matched_sim":1e39}]}`, `{"url":"w","text":"C."}`}
	var texts, bad []string
	for d, err := range ReadUnsplitJSONL(strings.NewReader(strings.Join(lines, "\n")), "f") {
		if err != nil {
			bad = append(bad, err.Error())
			continue
		}
		texts = append(texts, d.URL+": "+d.Text)
	}
	if want := []string{"u: A. B.", "w: C."}; !reflect.DeepEqual(texts, want) {
		t.Errorf("read %q, want %q", texts, want)
	}
	if want := []string{"f line 2: no url", "f line 3: byte 18: expected a string, found a number", "f line 4: byte 19: control character in a string", "f line 5: byte 40: the number does not fit into a float32"}; !reflect.DeepEqual(bad, want) {
		t.Errorf("rejected %q, want %q", bad, want)
	}
}

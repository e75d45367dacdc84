package schemas

import (
	"bytes"
	"encoding/json"
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
		scanner := jsonscan.Scanner{Text: []byte(want)}
		if got, ok := scanner.Str(); !ok || string(got) != back {
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
			scanner := lineScanner{Scanner: jsonscan.Scanner{Text: []byte(text)}}
			v, ok := scanner.number()
			if _, isJSON := json.Number(text).Float64(); isJSON != nil || !json.Valid([]byte(text)) {
				continue // NaN, or out of range
			}
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

// sameReading compares what the scanner makes of a line with what encoding/json makes of it.
func sameReading(t *testing.T, scanner *lineScanner, line string) (scanned bool) {
	t.Helper()
	got, ok := scanner.scan([]byte(line))
	if !ok {
		return false
	}
	var in unsplitLine
	d, err := parseAnyLine([]byte(line), &in, &in.mmc4Line)
	if err != nil {
		t.Fatalf("%q is taken, want %v", line, err)
	}
	if diff := cmp.Diff(&UnsplitDocument{*d, in.Text}, got, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("%q is read otherwise: %s", line, diff)
	}
	return true
}

func TestLineScanner(t *testing.T) {
	var scanner lineScanner
	scanned := 0
	for _, line := range lineSeeds {
		if sameReading(t, &scanner, line) {
			scanned++
		}
	}
	if scanned < 14 {
		t.Errorf("only %d of %d lines are scanned", scanned, len(lineSeeds))
	}
	if !sameReading(t, &scanner, published) {
		t.Error("a published line is given up")
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

// TestUnsplitJSONL reads a line that is scanned, one that is not, and a bad one.
func TestUnsplitJSONL(t *testing.T) {
	lines := `{"url":"u","text":"A. B.","similarity_matrix":[[0.5,0.25]]}` + "\n" + `{"URL":"v","Text":"C."}` + "\n" + `{"text":"D."}`
	var texts, bad []string
	for d, err := range ReadUnsplitJSONL(strings.NewReader(lines), "f") {
		if err != nil {
			bad = append(bad, err.Error())
			continue
		}
		texts = append(texts, d.URL+": "+d.Text)
	}
	if want := []string{"u: A. B.", "v: C."}; !reflect.DeepEqual(texts, want) {
		t.Errorf("read %q, want %q", texts, want)
	}
	if want := []string{"f line 3: no url"}; !reflect.DeepEqual(bad, want) {
		t.Errorf("rejected %q, want %q", bad, want)
	}
}

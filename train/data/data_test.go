package data

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"mmc4/internal/imaging"
	"mmc4/internal/storage"
	"mmc4/models/tokenizer"
	"mmc4/schemas"
)

func testTokens(t *testing.T) *Tokens {
	t.Helper()
	tok, err := tokenizer.Load(filepath.Join("..", "..", "testdata", "golden", "of.pairs", "tokenizer.json"))
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := NewTokens(tok, "<|endoftext|>", "")
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

func jpeg(t *testing.T, shade byte, side int) []byte {
	t.Helper()
	m := imaging.NewRGB(side, side)
	for i := range m.Pix {
		m.Pix[i] = shade + byte(i%7)
	}
	var b bytes.Buffer
	if err := imaging.EncodeJPEG(&b, m, 90); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// writeDocs writes docs shards with one or two pictures a document.
func writeDocs(t *testing.T, folder string, shards, rows int) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(folder, "docs"), 0o777); err != nil {
		t.Fatal(err)
	}
	for s := range shards {
		var b bytes.Buffer
		w := schemas.NewWriter[schemas.Document](&b)
		for i := range rows {
			d := schemas.Document{URL: fmt.Sprintf("http://a.example/%d/%d", s, i), Timestamp: time.Unix(1, 0).UTC(),
				TextList: []string{fmt.Sprintf("the lake %d", i), "bread", "a red dog sleeps"}}
			d.DocID = schemas.DocID(d.URL, d.Timestamp)
			for k := range 1 + i%2 {
				data := jpeg(t, byte(10*i+k), 20)
				if i == 3 {
					data = data[:40] // broken
				}
				d.ImageInfo = append(d.ImageInfo, schemas.ImageInfo{ImageName: fmt.Sprintf("%d-%d.jpg", i, k), MatchedTextIndex: int32(2 - 2*k), MatchedSim: 0.5,
					Bytes: data, SHA256: strings.Repeat("0", 64)})
				row := []float32{0.1, 0.1, 0.1}
				row[2-2*k] = 0.5
				d.SimilarityMatrix = append(d.SimilarityMatrix, row)
			}
			if err := w.Write(&d); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "docs", fmt.Sprintf("part-%05d.parquet", s)), b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(folder, "docs", "*.parquet")
}

func rules(t *testing.T) *Rules {
	return &Rules{Tokens: testTokens(t), Assignment: OneToOne, MinSimilarity: 0.24, MinImages: 1, MaxImages: 6, MaxTokens: 64, DropSingle: 0.5}
}

func take(t *testing.T, source Source, maker Maker, o StreamOptions, from Position, n int) (ids []string, at []Position, rejects []string) {
	t.Helper()
	o.Reject = func(r Reject) { rejects = append(rejects, r.String()) }
	stream, err := NewStream(context.Background(), source, maker, o, from)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	for range n {
		s, err := stream.Next(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, fmt.Sprintf("%s %v %v", s.ID, s.IDs, s.Flipped))
		at = append(at, stream.Position())
	}
	return ids, at, rejects
}

func TestOrderIsTheSameForAnyWorkersAndResumes(t *testing.T) {
	source, err := OpenDocuments(context.Background(), []string{writeDocs(t, t.TempDir(), 5, 9)}, storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if n := Records(source); n != 45 {
		t.Fatalf("%d records", n)
	}
	maker := rules(t)
	for _, order := range []Order{{Seed: 7, Window: 2, Shuffle: true}, {Seed: 7, Window: 3, Resample: true}, {Seed: 1}} {
		want, at, rejects := take(t, source, maker, StreamOptions{Order: order, Workers: 1, Prefetch: 1}, Position{}, 100)
		got, _, gotRejects := take(t, source, maker, StreamOptions{Order: order, Workers: 4, Prefetch: 17}, Position{}, 100)
		if !slices.Equal(got, want) || !slices.Equal(gotRejects, rejects) {
			t.Errorf("%+v: 4 workers give another order than 1", order)
		}
		if len(rejects) == 0 {
			t.Errorf("%+v: nothing was rejected", order)
		}
		for _, k := range []int{0, 1, 29, 30, 57} {
			rest, _, _ := take(t, source, maker, StreamOptions{Order: order, Workers: 2}, at[k], 20)
			if !slices.Equal(rest, want[k+1:k+21]) {
				t.Errorf("%+v: resuming after sample %d goes on differently", order, k)
			}
		}
	}
}

func TestAnEpochHasEveryDocumentOnce(t *testing.T) {
	source, err := OpenDocuments(context.Background(), []string{writeDocs(t, t.TempDir(), 3, 4)}, storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	maker := rules(t)
	maker.DropSingle = 0
	ids, at, rejects := take(t, source, maker, StreamOptions{Order: Order{Seed: 3, Window: 2, Shuffle: true}}, Position{}, 9)
	seen := map[string]bool{}
	for _, id := range ids {
		seen[id[:16]] = true
	}
	if len(seen) != 9 || at[8].Epoch != 0 {
		t.Errorf("%d documents in the first 9 samples, at %+v", len(seen), at[8])
	}
	if len(rejects) == 0 || !strings.Contains(strings.Join(rejects, "\n"), RuleBadImage) {
		t.Errorf("the broken pictures were not rejected: %q", rejects)
	}
}

func TestRepairedSequence(t *testing.T) {
	r := rules(t)
	image := func(shade byte) Image { return Image{Load: fromBytes(jpeg(t, shade, 8)), Matched: -1} }
	d := &Document{ID: "d", Sentences: []string{"bread <image>", "the lake", "a dog<|endofchunk|>"},
		Images: []Image{image(0), {Name: "missing"}, image(9)}, Similarity: [][]float64{{0, 0, .5}, {0, 0, 0}, {.5, 0, 0}}}
	s := r.Make(context.Background(), d, Draws{Keep: 1, Flip: 1})
	if s.Dropped != nil {
		t.Fatal(s.Dropped)
	}
	if got := []int{s.Images[0].Index, s.Images[1].Index}; !reflect.DeepEqual(got, []int{2, 0}) {
		t.Errorf("pictures in the order %v, the markers ask for 2, 0", got)
	}
	if text := r.Tokens.Decode(ints(s.IDs)); text != "<image>bread  the lake<|endofchunk|><image>a dog<|endofchunk|><|endoftext|>" {
		t.Errorf("%q", text)
	}
	if len(s.Notes) != 1 || s.Notes[0].Rule != RuleBadImage {
		t.Errorf("notes: %v", s.Notes)
	}
}

func TestGeneratedUsesAllSlots(t *testing.T) {
	r := rules(t)
	r.MaxImages = 2
	d := &Document{ID: "g", Generated: "_!_IMAGE1_!_ a _!_IMAGE2_!_ b _!_IMAGE3_!_ c"}
	for k := range 3 {
		d.Images = append(d.Images, Image{Load: fromBytes(jpeg(t, byte(k), 8)), Matched: -1})
	}
	s := r.Make(context.Background(), d, Draws{Keep: 1, Flip: 1})
	if text := r.Tokens.Decode(ints(s.IDs)); text != "<image>a<|endofchunk|><image>b<|endofchunk|><|endoftext|>" || len(s.Images) != 2 {
		t.Errorf("%q with %d pictures", text, len(s.Images))
	}
}

func TestPairsKeepTheEnd(t *testing.T) {
	tokens := testTokens(t)
	for limit := 4; limit < 20; limit++ {
		p := &Pairs{Tokens: tokens, MaxTokens: limit}
		ids := p.IDs("a very long caption about the lake and the bread and the red dog")
		if len(ids) > limit || ids[0] != tokens.Media || ids[len(ids)-2] != tokens.EOC || ids[len(ids)-1] != tokens.EOS {
			t.Errorf("limit %d: %v", limit, ids)
		}
	}
}

func ints(ids []int32) []int {
	out := make([]int, len(ids))
	for i, v := range ids {
		out[i] = int(v)
	}
	return out
}

func TestBase64(t *testing.T) {
	for _, c := range []struct {
		in, want string
		bad      bool
	}{
		{"YWJj", "abc", false}, {"YW Jj\n", "abc", false}, {"YWI=", "ab", false}, {"YQ==", "a", false}, {"YQ", "", true}, {"Y", "", true},
		{"YQ==YWJj", "a", false}, {"", "", false}, {"é", "", true}, {"=YWJj", "abc", false},
	} {
		got, err := decodeBase64(c.in)
		if (err != nil) != c.bad || err == nil && string(got) != c.want {
			t.Errorf("%q: %q, %v", c.in, got, err)
		}
	}
}

func TestLines(t *testing.T) {
	folder := t.TempDir()
	data := jpeg(t, 5, 16)
	if err := os.WriteFile(filepath.Join(folder, "p.jpg"), data, 0o666); err != nil {
		t.Fatal(err)
	}
	var text []byte
	for i := range 600 {
		line, _ := json.Marshal(map[string]any{"text_list": []string{"the lake", fmt.Sprint("bread ", i)},
			"image_info":        []any{map[string]any{"image_name": "p.jpg", "matched_text_index": 1}, map[string]any{"image_name": "q.jpg", "image_base64": base64.StdEncoding.EncodeToString(data)}},
			"similarity_matrix": [][]float64{{0.1, 0.4}, {0.5, 0.1}}})
		if i == 10 {
			line = []byte("{broken")
		}
		text = append(append(text, line...), '\n')
	}
	path := filepath.Join(folder, "docs.jsonl")
	if err := os.WriteFile(path, bytes.TrimSuffix(text, []byte("\n")), 0o666); err != nil {
		t.Fatal(err)
	}
	source, err := OpenLines(context.Background(), []string{path}, folder, storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if n := Records(source); n != 600 {
		t.Fatalf("%d records", n)
	}
	ids, at, rejects := take(t, source, rules(t), StreamOptions{Workers: 2}, Position{}, 599)
	if at[598] != (Position{Epoch: 0, Record: 600}) || len(rejects) != 1 || !strings.Contains(rejects[0], "docs.jsonl:11: bad_record") {
		t.Errorf("at %+v, rejects %v, last %s", at[598], rejects, ids[598])
	}
}

// MMC4's published form gives the same samples as the lines that lie in it; a zip that is damaged is named.
func TestZips(t *testing.T) {
	folder := t.TempDir()
	picture := base64.StdEncoding.EncodeToString(jpeg(t, 5, 16))
	write := func(name string, text []byte) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, text, 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for shard := range 3 {
		var text []byte
		for i := range 5 {
			text = fmt.Appendf(text, `{"text_list":["the lake","bread %d"],"image_info":[{"image_name":"q.jpg","image_base64":"%s"}],"similarity_matrix":[[0.5,0.1]]}`+"\n", 10*shard+i, picture)
		}
		name := fmt.Sprintf("docs_shard_%d_v2.jsonl", shard)
		write(name, text)
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		for _, member := range []struct {
			name    string
			content []byte
		}{{name, text}, {"readme.txt", []byte("no lines")}} {
			m, err := w.Create(member.name)
			if err != nil {
				t.Fatal(err)
			}
			m.Write(member.content)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		write(name+".zip", b.Bytes())
	}
	var samples [2][]string
	order := StreamOptions{Order: Order{Seed: 5, Window: 2, Shuffle: true}}
	for i, pattern := range []string{"*.jsonl", "*.jsonl.zip"} {
		source, err := OpenLines(context.Background(), []string{filepath.Join(folder, pattern)}, "", storage.Options{})
		if err != nil {
			t.Fatal(err)
		}
		maker := rules(t)
		maker.DropSingle = 0
		var at []Position
		samples[i], at, _ = take(t, source, maker, order, Position{}, 40)
		for k := 0; k < 40; k += 3 {
			if got, _, _ := take(t, source, maker, order, at[k], 39-k); !slices.Equal(got, samples[i][k+1:]) {
				t.Errorf("%s: going on at %+v gives %q", pattern, at[k], got)
			}
		}
	}
	if !slices.Equal(samples[0], samples[1]) {
		t.Errorf("lines give %q, zips of them %q", samples[0], samples[1])
	}
	whole, err := os.ReadFile(filepath.Join(folder, "docs_shard_0_v2.jsonl.zip"))
	if err != nil {
		t.Fatal(err)
	}
	empty := write("empty.zip", func() []byte { var b bytes.Buffer; zip.NewWriter(&b).Close(); return b.Bytes() }())
	cut := write("cut.zip", whole[:len(whole)/2])
	flipped := bytes.Clone(whole)
	flipped[60] ^= 0xff
	for path, want := range map[string]string{empty: "no member", cut: "not a zip file"} {
		if _, err := OpenLines(context.Background(), []string{path}, "", storage.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	both := []string{write("flipped.zip", flipped), filepath.Join(folder, "docs_shard_1_v2.jsonl.zip")}
	source, err := OpenLines(context.Background(), both, "", storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got, _, rejects := take(t, source, rules(t), StreamOptions{}, Position{}, 10)
	if len(rejects) == 0 || !strings.Contains(rejects[0], "flipped.zip") || !strings.Contains(rejects[0], RuleBadRecord) {
		t.Errorf("of a damaged zip and a good one: %q, rejects %q", got, rejects)
	}
	hollow := write("hollow.jsonl.zip", func() []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		w.Create("a.jsonl")
		w.Close()
		return b.Bytes()
	}())
	if source, err = OpenLines(context.Background(), []string{hollow}, "", storage.Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := NewStream(context.Background(), source, rules(t), StreamOptions{}, Position{}); err == nil {
		t.Error("a zip without a line was taken")
	}
	if source, err = OpenLines(context.Background(), both[1:], "", storage.Options{}); err != nil {
		t.Fatal(err)
	}
	for _, p := range []Position{{Record: 99}, {Record: 99, Window: 7, First: 90}} {
		stream, err := NewStream(context.Background(), source, rules(t), StreamOptions{}, p)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Next(context.Background()); err == nil || !strings.Contains(err.Error(), "other data") && !strings.Contains(err.Error(), "no record") {
			t.Errorf("%+v: %v", p, err)
		}
		stream.Close()
	}
}

// A zip whose directory lies of a member's size costs no more memory than it says, and not that where it cannot be.
func TestLyingZips(t *testing.T) {
	text := bytes.Repeat([]byte(`{"text_list":["a"]}`+"\n"), 100)
	for size, says := range map[uint64]string{
		uint64(len(text)):     "",
		uint64(len(text) - 7): "is not the",
		uint64(len(text) + 7): "EOF",
		1 << 20:               "cannot inflate",
		1 << 40:               "at most",
	} {
		var deflated, file bytes.Buffer
		d, _ := flate.NewWriter(&deflated, flate.BestCompression)
		d.Write(text)
		d.Close()
		w := zip.NewWriter(&file)
		m, err := w.CreateRaw(&zip.FileHeader{Name: "a.jsonl", Method: zip.Deflate, CRC32: crc32.ChecksumIEEE(text), CompressedSize64: uint64(deflated.Len()), UncompressedSize64: size})
		if err != nil {
			t.Fatal(err)
		}
		m.Write(deflated.Bytes())
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		archive, err := zip.NewReader(bytes.NewReader(file.Bytes()), int64(file.Len()))
		if err != nil {
			t.Fatal(err)
		}
		got, err := inflate(archive.File[0])
		if says == "" && (err != nil || !bytes.Equal(got, text)) || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("%d bytes said of %d: %v", size, len(text), err)
		}
	}
}

func FuzzParseDocument(f *testing.F) {
	f.Add([]byte(`{"text_list":["a"],"image_info":[{"image_name":"x","image_base64":"YWJj"}],"similarity_matrix":[[0.5]]}`))
	f.Add([]byte(`{"is_gpt":true,"example":"_!_IMAGE1_!_ a","image_map":{"_!_IMAGE1_!_":{"base64_image":"YQ=="}}}`))
	f.Add([]byte(`{"similarity_matrix":[[null,"x"]]}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		d, err := ParseDocument(line, "x")
		if err != nil {
			return
		}
		for _, image := range d.Images {
			if image.Load != nil {
				_, _ = image.Load(context.Background())
			}
		}
		b := &builder{rules: &Rules{Assignment: ArgMax, MinBytes: 1 << 40}, ctx: context.Background(), doc: d}
		_, _ = b.choose()
		b.rules.Assignment = OneToOne
		_, _ = b.choose()
	})
}

// When nothing can be used the stream ends with the reasons, and a panic of a record costs that record.
func TestAllDead(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "docs.jsonl")
	if err := os.WriteFile(path, []byte(`{"text_list":["a"],"image_info":[{"image_name":"x","image_base64":"!"}],"similarity_matrix":[[0.9]]}`+"\n{}\nnot json\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	source, err := OpenLines(context.Background(), []string{path}, "", storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	stream, err := NewStream(context.Background(), source, rules(t), StreamOptions{}, Position{})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if _, err := stream.Next(context.Background()); err == nil || !strings.Contains(err.Error(), RuleNoImage) || !strings.Contains(err.Error(), RuleBadRecord) {
		t.Errorf("%v", err)
	}
	if _, err := NewStream(context.Background(), source, rules(t), StreamOptions{}, Position{Record: 99}); err == nil {
		t.Error("a position outside of the data was taken")
	}
	mad, err := NewStream(context.Background(), source, panics{}, StreamOptions{}, Position{})
	if err != nil {
		t.Fatal(err)
	}
	defer mad.Close()
	if _, err := mad.Next(context.Background()); err == nil || !strings.Contains(err.Error(), RuleBadRecord) {
		t.Errorf("%v", err)
	}
}

type panics struct{}

func (panics) Make(context.Context, *Document, Draws) *Sample { panic("mad") }

func TestTars(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.tar")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(f)
	for _, member := range []struct {
		name string
		data []byte
	}{{"000.txt", []byte("the lake")}, {"000.jpg", jpeg(t, 1, 16)}, {"001.jpg", jpeg(t, 2, 16)}, {"002.jpg", []byte("broken")}, {"002.txt", []byte("bread")}} {
		if err := w.WriteHeader(&tar.Header{Name: member.name, Size: int64(len(member.data)), Typeflag: tar.TypeReg, Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(member.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	source, err := OpenTars(context.Background(), []string{path}, storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tokens := testTokens(t)
	_, at, rejects := take(t, source, &Pairs{Tokens: tokens, MaxTokens: 32}, StreamOptions{}, Position{}, 2)
	if at[1] != (Position{Epoch: 1, Record: 1}) || len(rejects) != 3 {
		t.Errorf("at %v, rejects %q", at, rejects)
	}
}

package schemas

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
)

// TestDocID: a name does not depend on what the timestamp column cannot hold.
func TestDocID(t *testing.T) {
	when := time.Date(2019, 4, 20, 1, 2, 3, 0, time.UTC)
	for _, c := range []struct {
		fraction time.Duration
		text     string
	}{{0, "2019-04-20T01:02:03Z"}, {999_999, "2019-04-20T01:02:03Z"}, {120*time.Millisecond + 7, "2019-04-20T01:02:03.12Z"}} {
		sum := sha256.Sum256([]byte("http://a.test/\n" + c.text))
		if got, want := DocID("http://a.test/", when.Add(c.fraction).In(time.FixedZone("", 3600))), hex.EncodeToString(sum[:8]); got != want {
			t.Errorf("%v: %s, want %s", c.fraction, got, want)
		}
	}
}

func ptr[T any](v T) *T { return &v }

// sample makes n documents of many shapes from a seed.
func sample(n int, seed int64) []Document {
	rnd := rand.New(rand.NewSource(seed))
	var docs []Document
	for i := range n {
		d := Document{
			URL:       "http://a.test/" + strings.Repeat("x", rnd.Intn(20)) + string(rune('a'+i%26)),
			Timestamp: time.UnixMilli(1.5e12 + rnd.Int63n(1e11)).UTC(),
			TextList:  []string{}, ImageInfo: []ImageInfo{}, SimilarityMatrix: [][]float32{},
			CouldHaveURLDuplicate: int32(i % 2),
			Page: Page{WARCFilename: "crawl-data/x.warc.gz", WARCOffset: rnd.Int63(), WARCLength: 10,
				WARCDate: time.UnixMilli(1.4e12).UTC(), Route: RouteWAT, Match: MatchExact},
		}
		d.DocID = DocID(d.URL, d.Timestamp)
		if i%3 == 0 {
			d.Page.Digest = ptr("ABC")
		}
		for s := range 1 + rnd.Intn(4) {
			d.TextList = append(d.TextList, strings.Repeat("é ", s))
		}
		for range rnd.Intn(4) {
			body := make([]byte, rnd.Intn(3000))
			rnd.Read(body)
			sum := sha256.Sum256(body)
			row := make([]float32, len(d.TextList))
			for j := range row {
				row[j] = rnd.Float32()
			}
			at := rnd.Intn(len(row))
			image := ImageInfo{ImageName: ImageName(hex.EncodeToString(sum[:]), "image/jpeg"), RawURL: "http://a.test/i.jpg",
				MatchedTextIndex: int32(at), MatchedSim: row[at], Width: 200, Height: 150, OriginalWidth: 400,
				OriginalHeight: 300, MediaType: "image/jpeg", SHA256: hex.EncodeToString(sum[:]), PHash: "0123456789abcdef",
				Attr: "img@src", Bytes: body}
			if rnd.Intn(2) == 0 {
				image.NSFW, image.Alt = ptr(float32(0.5)), ptr("")
			}
			d.ImageInfo = append(d.ImageInfo, image)
			d.SimilarityMatrix = append(d.SimilarityMatrix, row)
		}
		docs = append(docs, d)
	}
	return docs
}

func write[T Row](t testing.TB, rows []T, limit int64) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := NewWriter[T](&buf)
	if limit > 0 {
		w.limit = limit
	}
	for i := range rows {
		if err := w.Write(&rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func read[T any](data []byte, p ...Projection) ([]T, error) {
	r, err := NewReader[T](bytes.NewReader(data), int64(len(data)), p...)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var out []T
	for row, err := range r.All() {
		if err != nil {
			return nil, err
		}
		out = append(out, *row)
	}
	return out, nil
}

func TestDocumentsRoundTrip(t *testing.T) {
	docs := sample(200, 1)
	data := write(t, docs, 10_000)
	got, err := read[Document](data)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(docs, got); d != "" {
		t.Error(d)
	}
	for i := range got {
		if err := got[i].Validate(); err != nil {
			t.Error(err)
		}
	}
	f, _ := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if groups := len(f.RowGroups()); groups < 5 {
		t.Errorf("%d row groups, want them cut by bytes", groups)
	}
	for i, col := range f.RowGroups()[0].ColumnChunks()[:2] {
		if ok, err := col.BloomFilter().Check(parquet.ValueOf([]string{docs[0].DocID, docs[0].URL}[i])); !ok || err != nil {
			t.Error("the bloom filter does not know the first row", ok, err)
		}
	}
	if !strings.HasPrefix(f.Metadata().CreatedBy, "mmc4 version 1.0.0") {
		t.Error(f.Metadata().CreatedBy)
	}
	if !bytes.Equal(data, write(t, docs, 10_000)) {
		t.Error("the same rows gave other bytes")
	}
}

func TestRejectsAndImagesRoundTrip(t *testing.T) {
	rejects := []Reject{{Stage: "inspect", Rule: RuleMinSide, DocID: ptr("a"), URL: ptr("u"), ImageURL: ptr("i"),
		Value: ptr(100.0), Limit: ptr(150.0)}, {Stage: "locate", Rule: RuleBadRecord, Detail: ptr("why")}}
	got, err := read[Reject](write(t, rejects, 0))
	if d := cmp.Diff(rejects, got); d != "" || err != nil {
		t.Error(d, err)
	}
	at := time.UnixMilli(1e12).UTC()
	images := []ImageRow{{ImageURL: "u", Outcome: OutcomeOK, HTTPStatus: ptr(int32(200)), Attempts: 1, Size: ptr(int64(3)),
		FetchedAt: &at, MediaType: ptr("image/png")}, {ImageURL: "v", Outcome: "dns", Attempts: 3}}
	rows, err := read[ImageRow](write(t, images, 0))
	if d := cmp.Diff(images, rows); d != "" || err != nil {
		t.Error(d, err)
	}
	if empty, err := read[Document](write[Document](t, nil, 0)); err != nil || empty != nil {
		t.Error(empty, err)
	}
}

func TestProjection(t *testing.T) {
	docs := sample(50, 2)
	data := write(t, docs, 0)
	got, err := read[Document](data, Without("image_info.bytes", "page"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range docs {
		docs[i].Page = Page{}
		for j := range docs[i].ImageInfo {
			docs[i].ImageInfo[j].Bytes = nil
		}
	}
	if d := cmp.Diff(docs, got); d != "" {
		t.Error(d)
	}
	names, err := read[Document](data, Columns("url"))
	if err != nil || names[3].URL != docs[3].URL || names[3].DocID != "" {
		t.Error(err, names[3])
	}
	type two struct {
		Text []string `parquet:"text_list,list"`
		URL  string   `parquet:"url"`
	}
	some, err := read[two](data)
	if err != nil || some[4].URL != docs[4].URL || !cmp.Equal(some[4].Text, docs[4].TextList) {
		t.Error(err, some)
	}
	counting := &countingReaderAt{r: bytes.NewReader(data)}
	r, err := NewReader[Document](counting, int64(len(data)), Columns("doc_id"))
	if err != nil {
		t.Fatal(err)
	}
	for range r.All() {
	}
	if counting.n > int64(len(data))/2+tailBytes || counting.calls > 4 {
		t.Errorf("read %d of %d bytes in %d calls for one column", counting.n, len(data), counting.calls)
	}
}

type countingReaderAt struct {
	r     io.ReaderAt
	n     int64
	calls int
}

func (c *countingReaderAt) ReadAt(p []byte, at int64) (int, error) {
	n, err := c.r.ReadAt(p, at)
	c.n += int64(n)
	c.calls++
	return n, err
}

func TestSchemaCheckNamesDifferences(t *testing.T) {
	type other struct {
		DocID string   `parquet:"doc_id,optional"`
		URL   int32    `parquet:"url"`
		Text  []string `parquet:"text_list,list"`
		More  string   `parquet:"more"`
	}
	var buf bytes.Buffer
	w := parquet.NewGenericWriter[other](&buf)
	w.Write([]other{{}})
	w.Close()
	err := CheckSchema[Document](bytes.NewReader(buf.Bytes()), int64(buf.Len()))
	var differences *SchemaError
	if !errors.As(err, &differences) {
		t.Fatal(err)
	}
	for _, want := range []string{"doc_id is optional string, want required string", "url is required int", "timestamp is missing",
		"image_info.element.raw_url is missing", "more (required string) is not expected"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
	data := write(t, sample(3, 1), 0)
	if err := CheckSchema[Document](bytes.NewReader(data), int64(len(data))); err != nil {
		t.Error(err)
	}
	if err := CheckSchema[Reject](bytes.NewReader(data), int64(len(data))); err == nil {
		t.Error("docs passed for rejects")
	}
}

// TestDamagedFiles changes bytes all over a file: reading gives rows or an error, never a panic.
func TestDamagedFiles(t *testing.T) {
	data := write(t, sample(30, 3), 5000)
	rnd := rand.New(rand.NewSource(1))
	failed := 0
	for range 500 { // the footer alone: lengths, places, codecs
		bad := bytes.Clone(data)
		bad[len(bad)-1-rnd.Intn(4000)] ^= 1 << rnd.Intn(8)
		read[Document](bad)
	}
	for range 400 {
		bad := bytes.Clone(data)
		for range 1 + rnd.Intn(4) {
			bad[rnd.Intn(len(bad))] ^= byte(1 + rnd.Intn(255))
		}
		if _, err := read[Document](bad); err != nil {
			failed++
		}
	}
	for n := range 300 {
		if _, err := read[Document](data[:len(data)*n/300]); err == nil {
			t.Error("a truncated file was read without error")
		}
	}
	if failed < 300 {
		t.Errorf("only %d of 400 damaged files were noticed", failed)
	}
}

func FuzzParquet(f *testing.F) {
	f.Add(write(f, sample(5, 1), 0))
	f.Add([]byte("PAR1PAR1"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		read[Document](data)
		read[Reject](data)
	})
}

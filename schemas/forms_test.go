package schemas

import (
	"bytes"
	"io"
	"iter"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/google/go-cmp/cmp"
)

func each(docs []Document) iter.Seq2[*Document, error] {
	return func(yield func(*Document, error) bool) {
		for i := range docs {
			if !yield(&docs[i], nil) {
				return
			}
		}
	}
}

func TestArrowRoundTrip(t *testing.T) {
	docs := sample(60, 4)
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	rec := Batch(mem, docs)
	got, err := Documents(rec)
	rec.Release()
	if d := cmp.Diff(docs, got); d != "" || err != nil {
		t.Error(d, err)
	}
}

func readIPC(data []byte) (out []Document, err error) {
	f, err := ipc.NewFileReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	for i := range f.NumRecords() {
		rec, err := f.RecordAt(i)
		if err != nil {
			return nil, err
		}
		docs, err := Documents(rec)
		rec.Release()
		if err != nil {
			return nil, err
		}
		out = append(out, docs...)
	}
	return out, f.Close()
}

func TestIPC(t *testing.T) {
	docs := sample(60, 5)
	var a, b bytes.Buffer
	n, err := WriteIPC(&a, each(docs))
	if n != 60 || err != nil {
		t.Fatal(n, err)
	}
	got, err := readIPC(a.Bytes())
	if d := cmp.Diff(docs, got); d != "" || err != nil {
		t.Error(d, err)
	}
	WriteIPC(&b, each(docs))
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("the same documents gave other bytes")
	}
	if got, err := readIPC(func() []byte { var e bytes.Buffer; WriteIPC(&e, each(nil)); return e.Bytes() }()); err != nil || got != nil {
		t.Error(got, err)
	}
}

// published is a line in the form that allenai/mmc4 gives in its README, with other texts.
const published = `{"image_info":[{"face_detections":null,"image_name":"0a1b2c3d4e5f.jpg","matched_sim":0.27694183588027954,"matched_text_index":2,"raw_url":"http://a.test/1.jpg"},{"face_detections":null,"image_name":"f5e4d3c2b1a0.jpg","matched_sim":0.3234919607639313,"matched_text_index":1,"raw_url":"http://a.test/2.jpg"}],"similarity_matrix":[[0.24363446235656738,0.31758785247802734,0.27694183588027954],[0.2233106791973114,0.3234919607639313,0.26118797063827515]],"text_list":["One <b> & two.","Ünd \"drei\".","Vier."],"url":"http://a.test/","could_have_url_duplicate":0}` + "\n"

func TestJSONL(t *testing.T) {
	var docs []*Document
	for d, err := range ReadJSONL(strings.NewReader(published), "x") {
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, d)
	}
	var out bytes.Buffer
	if err := WriteJSONL(&out, docs[0]); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(published, out.String()); d != "" {
		t.Error(d)
	}
	for f, want := range map[float32]string{0: "0.0", 1: "1.0", -0.5: "-0.5", 1e-5: "9.999999747378752e-06", 0.0001: "9.999999747378752e-05", 1e20: "1.0000000200408773e+20"} {
		if got := string(appendFloat(nil, f)); got != want {
			t.Errorf("%g is printed as %s, want %s", f, got, want)
		}
	}
}

func TestBadJSONLines(t *testing.T) {
	lines := "{}\n\n[1]\n" + published + `{"url":"u","text_list":["a"],"image_info":[{"matched_text_index":3}],"similarity_matrix":[[1]]}` + "\n" +
		`{"url":"u","text_list":["a"],"image_info":[{}],"similarity_matrix":[]}` + "\ntruncated {"
	var good int
	var bad []string
	for d, err := range ReadJSONL(strings.NewReader(lines), "f") {
		if err != nil {
			bad = append(bad, err.Error())
		} else if d != nil {
			good++
		}
	}
	if good != 1 || len(bad) != 5 {
		t.Fatal(good, bad)
	}
	for i, want := range []string{"f line 1: no url", "f line 3: ", "f line 5: ", "f line 6: ", "f line 7: "} {
		if !strings.HasPrefix(bad[i], want) {
			t.Errorf("%q does not start with %q", bad[i], want)
		}
	}
}

func FuzzJSONL(f *testing.F) {
	f.Add(published)
	f.Fuzz(func(t *testing.T, text string) {
		for d, err := range ReadJSONL(strings.NewReader(text), "f") {
			if err == nil {
				if err := WriteJSONL(io.Discard, d); err != nil {
					t.Error(err)
				}
			}
		}
	})
}

package pipeline

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mmc4/schemas"
)

// TestRepeatedDocuments gives a C4 file twice, and the documents of another with other text: every document of the product is of
// its first line, and the others are rejects that name both lines.
func TestRepeatedDocuments(t *testing.T) {
	w := newWorld(t, 20)
	alone := t.TempDir()
	build(t, w.config(alone))
	want := map[string]schemas.Document{}
	for _, d := range readTable[schemas.Document](t, alone, "docs") {
		want[d.DocID] = d
	}

	data, err := os.ReadFile(filepath.Join(w.dir, "c4/c4-train.00000.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	w.save(t, "c4/c4-train.00003.json.gz", data, false)
	w.save(t, "c4/c4-train.00004.json.gz", []byte(`{"url":"http://host1.test/page/1.html","timestamp":"2099-01-05T00:01:00Z","text":"Another text."}`+"\n"), true)
	out := t.TempDir()
	s, _ := build(t, w.config(out))
	got := map[string]bool{}
	for _, d := range readTable[schemas.Document](t, out, "docs") {
		if got[d.DocID] {
			t.Errorf("%s has two rows", d.DocID)
		}
		got[d.DocID] = true
		if first := want[d.DocID]; strings.Join(d.TextList, "") != strings.Join(first.TextList, "") || len(d.ImageInfo) != len(first.ImageInfo) {
			t.Errorf("%s: %q with %d pictures, alone it is %q with %d", d.URL, d.TextList, len(d.ImageInfo), first.TextList, len(first.ImageInfo))
		}
	}
	if len(got) != len(want) || len(want) < 5 {
		t.Errorf("%d documents, alone there are %d", len(got), len(want))
	}
	repeated := map[string]int{}
	for _, r := range readTable[schemas.Reject](t, out, "rejects") {
		if r.Rule == schemas.RuleBadRecord && strings.Contains(*r.Detail, "url and timestamp are those of") {
			repeated[*r.Detail]++
		}
	}
	for _, detail := range []string{"c4-train.00003.json.gz line 1: url and timestamp are those of c4-train.00000.json.gz line 1", "c4-train.00004.json.gz line 1: url and timestamp are those of c4-train.00001.json.gz line 1"} {
		if repeated[detail] != 1 {
			t.Errorf("%d rejects say %q: %v", repeated[detail], detail, repeated)
		}
	}
	c := s.Counts
	if n := c["documents.repeated"]; int(n) != len(repeated) || n < 7 || c["documents.lines"] != c["documents.kept"]+c["rejects.bad_record"]+c["rejects.no_page"]+c["rejects.no_image"] {
		t.Errorf("%d repeated, %d named; the books do not close: %v", n, len(repeated), c)
	}
}

package bench

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// counted is a side that says it took so long.
type counted struct {
	each time.Duration
	runs *[]string
	name string
}

func (c counted) Run(times int) (time.Duration, error) {
	*c.runs = append(*c.runs, c.name)
	return time.Duration(times) * c.each, nil
}
func (c counted) Version() string { return c.name }
func (c counted) Close() error    { return nil }

func fakeRow(runs *[]string, agree error) Row {
	return Row{Name: "fake.row", Open: func(context.Context, *Lab) (*Contest, error) {
		return &Contest{Unit: "MB/s", Work: 8, Ours: counted{time.Millisecond, runs, "ours"}, Theirs: counted{4 * time.Millisecond, runs, "theirs"},
			Agree: func() (string, error) { return "equal", agree }}, nil
	}}
}

func TestRunTakesTurns(t *testing.T) {
	var runs []string
	r := Run(t.Context(), nil, fakeRow(&runs, nil), Options{Rounds: 1, AtLeast: 100 * time.Millisecond})
	if !r.Agreed || len(r.Ratios) != MinRounds || math.Abs(r.Ratio-4) > 1e-9 || math.Abs(r.Ours-8000) > 1e-6 {
		t.Errorf("got %+v", r)
	}
	turns := runs[len(runs)-2*MinRounds:]
	for i := 0; i < len(turns); i += 2 {
		if turns[i] == turns[i+1] {
			t.Errorf("round %d has one side twice: %v", i/2, turns)
		}
	}
}

func TestNoRatioWhenOutputsDiffer(t *testing.T) {
	var runs []string
	r := Run(t.Context(), nil, fakeRow(&runs, errors.New("outputs differ: row 3")), Options{})
	if r.Agreed || r.Ratio != 0 || len(r.Ratios) != 0 || len(runs) != 0 || !strings.Contains(r.String(), "FAILED: outputs differ: row 3") {
		t.Errorf("got %+v after %v", r, runs)
	}
}

func TestMissingPeersSkipTheRow(t *testing.T) {
	lab, err := NewLab(t.TempDir(), filepath.Join(t.TempDir(), "nothing"), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer lab.Close()
	rows, _ := Select(Rows(), []string{"sentences"})
	r := Run(t.Context(), lab, rows[0], Options{})
	if !strings.Contains(r.Skipped, "make peers") || r.Failed != "" {
		t.Errorf("got %+v", r)
	}
}

func TestSelect(t *testing.T) {
	rows := []Row{{Name: "a.one"}, {Name: "a.two"}, {Name: "b.one"}}
	for _, c := range []struct {
		names   []string
		want    string
		unknown string
	}{
		{nil, "a.one a.two b.one", ""},
		{[]string{"a"}, "a.one a.two", ""},
		{[]string{"*.one"}, "a.one b.one", ""},
		{[]string{"b.one", "c"}, "b.one", "c"},
	} {
		chosen, unknown := Select(rows, c.names)
		var got []string
		for _, r := range chosen {
			got = append(got, r.Name)
		}
		if strings.Join(got, " ") != c.want || strings.Join(unknown, " ") != c.unknown {
			t.Errorf("Select(%v) = %v, %v", c.names, got, unknown)
		}
	}
}

func TestRowsHaveTheirOwnNames(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Rows() {
		if seen[r.Name] || !strings.Contains(r.Name, ".") || r.Input == "" || r.Peer == "" || r.Open == nil {
			t.Errorf("row %+v", r)
		}
		seen[r.Name] = true
	}
}

func TestInputsComeFromTheSeed(t *testing.T) {
	lab := &Lab{Seed: 5}
	a, n := drawWARC(lab.Rand("warc"), 3)
	b, _ := drawWARC(lab.Rand("warc"), 3)
	c, _ := drawWARC((&Lab{Seed: 6}).Rand("warc"), 3)
	if !slices.Equal(a, b) || slices.Equal(a, c) {
		t.Error("the bytes do not follow from the seed alone")
	}
	path := filepath.Join(t.TempDir(), "drawn.warc.gz")
	if err := os.WriteFile(path, a, 0o644); err != nil {
		t.Fatal(err)
	}
	pages, err := linksOf(path)
	if err != nil || len(pages) != 3 || len(pages[0].images) == 0 || n < 60000 {
		t.Errorf("%d pages of %d bytes: %v", len(pages), n, err)
	}
}

func TestComparisons(t *testing.T) {
	x := []float32{3, 4, 1, 0}
	if _, err := closeTo(x, []float32{3, 4, 1, 1e-6}, 1e-5); err != nil {
		t.Error(err)
	}
	nan := float32(math.NaN())
	for _, y := range [][]float32{{3, 4, 1}, {3, 4, 1, 1}, {3, 4, nan, 0}} {
		if _, err := closeTo(x, y, 1e-3); err == nil {
			t.Errorf("closeTo lets %v pass", y)
		}
	}
	if _, err := cosine(x, []float32{6, 8, 2, 0}, 2, 0.999999); err != nil {
		t.Error(err)
	}
	for _, y := range [][]float32{{3, 4, 0, 1}, {3, 4, nan, 0}} {
		if _, err := cosine(x, y, 2, 0.9); err == nil {
			t.Errorf("cosine lets %v pass", y)
		}
	}
}

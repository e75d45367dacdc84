package model

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"mmc4/eval"
	"mmc4/eval/mini"
	"mmc4/eval/task"
	"mmc4/internal/imaging"
)

// tinyModel is a folder with a tiny model of the reference program and a tokenizer of single characters.
func tinyModel(t *testing.T) eval.ModelFiles {
	t.Helper()
	dir := t.TempDir()
	if err := mini.WriteModel(dir, filepath.Join("..", "..", "testdata", "golden", "flamingo.generate")); err != nil {
		t.Fatal(err)
	}
	return eval.ModelFiles{Dir: dir}
}

func picture(shade byte) []byte {
	m := imaging.NewRGB(20, 14)
	for i := range m.Pix {
		m.Pix[i] = byte(i*int(shade)) ^ shade
	}
	var b bytes.Buffer
	_ = imaging.EncodePNG(&b, m.Picture())
	return b.Bytes()
}

// Queries of unequal length and numbers of pictures get the same answers one by one and in a batch, and a picture is read
// once.
func TestBatches(t *testing.T) {
	ctx := context.Background()
	reads := map[string]int{}
	m, err := Load(ctx, tinyModel(t), Options{Device: "ref"}, func(name string) ([]byte, error) {
		if reads[name]++; name == "gone" {
			return nil, os.ErrNotExist
		}
		return picture(name[0]), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	queries := []eval.Query{
		{Text: "<image>a b<|endofchunk|><image>what?", Images: []string{"x", "y"}},
		{Text: "<image>no", Images: []string{"y"}},
		{Text: "text first <image>and a longer question", Images: []string{"z"}},
	}
	bad, err := m.See(ctx, []string{"gone", "x", "y", "z"})
	if err != nil || len(bad) != 1 || bad["gone"] == nil {
		t.Fatal(bad, err)
	}
	d := task.Decoding{MaxNewTokens: 6, Beams: 3}
	together, err := m.Generate(ctx, queries, d)
	if err != nil {
		t.Fatal(err)
	}
	ranks, err := m.Rank(ctx, queries, []string{"yes", "no", "a"})
	if err != nil {
		t.Fatal(err)
	}
	for i, q := range queries {
		if _, err := m.See(ctx, q.Images); err != nil {
			t.Fatal(err)
		}
		alone, err := m.Generate(ctx, []eval.Query{q}, d)
		if err != nil || alone[0] != together[i] {
			t.Errorf("query %d: alone %q, in a batch %q, %v", i, alone, together[i], err)
		}
		rank, err := m.Rank(ctx, []eval.Query{q}, []string{"yes", "no", "a"})
		if err != nil {
			t.Fatal(err)
		}
		for c := range rank[0] {
			if diff := rank[0][c] - ranks[i][c]; diff > 1e-4 || diff < -1e-4 {
				t.Errorf("query %d, class %d: alone %v, in a batch %v", i, c, rank[0][c], ranks[i][c])
			}
		}
	}
	if fmt.Sprint(reads["x"], reads["y"], reads["z"]) != "1 1 1" {
		t.Errorf("pictures were read %v times", reads)
	}
	if _, err := m.Rank(ctx, queries, []string{""}); err == nil {
		t.Error("a class without tokens was ranked")
	}
}

func TestLoadErrors(t *testing.T) {
	if _, err := Load(context.Background(), eval.ModelFiles{Dir: t.TempDir()}, Options{Device: "ref"}, nil); err == nil {
		t.Error("an empty folder was loaded")
	}
}

// Queries that begin with the same demonstrations get the same answers whether these are read once or with every query.
func TestSharedBeginning(t *testing.T) {
	ctx := context.Background()
	m, err := Load(ctx, tinyModel(t), Options{Device: "auto"}, func(name string) ([]byte, error) { return picture(name[0]), nil })
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	const shown, other = "<image>a b<|endofchunk|><image>what?", "two texts<|endofchunk|>"
	queries := []eval.Query{
		{Text: shown + "<image>no", Images: []string{"x", "y", "z"}},
		{Text: shown + "<image>a longer question", Images: []string{"x", "y", "u"}},
		{Text: shown + "<image>no", Images: []string{"y", "y", "z"}}, // other pictures: another beginning
		{Text: other + "<image>no", Images: []string{"v"}},
	}
	if _, err := m.See(ctx, []string{"u", "v", "x", "y", "z"}); err != nil {
		t.Fatal(err)
	}
	d, classes := task.Decoding{MaxNewTokens: 6, Beams: 3}, []string{"yes", "no", "a"}
	ask := func(shared bool) ([]string, [][]float64) {
		for i := range queries {
			queries[i].Shared = shared
		}
		texts, err := m.Generate(ctx, queries, d)
		if err != nil {
			t.Fatal(err)
		}
		ranks, err := m.Rank(ctx, queries, classes)
		if err != nil {
			t.Fatal(err)
		}
		return texts, ranks
	}
	want, wantRanks := ask(false)
	if len(m.shared.kept) != 0 {
		t.Error("something was kept that nobody shares")
	}
	for _, round := range []string{"first", "second"} {
		got, ranks := ask(true)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", round, got, want)
		}
		for i := range ranks {
			for c := range classes {
				if d := ranks[i][c] - wantRanks[i][c]; d > 1e-4 || d < -1e-4 {
					t.Errorf("%s: query %d, class %d: %v, want %v", round, i, c, ranks[i][c], wantRanks[i][c])
				}
			}
		}
		if len(m.shared.kept) != 3 {
			t.Errorf("%s: %d beginnings are kept, want 3", round, len(m.shared.kept))
		}
	}
	all := m.shared.bytes
	if m.shared.shrink(all - 1); len(m.shared.kept) != 2 || m.shared.bytes >= all {
		t.Errorf("%d beginnings of %d bytes are kept", len(m.shared.kept), m.shared.bytes)
	}
	if got, _ := ask(true); !slices.Equal(got, want) {
		t.Errorf("after forgetting: %q, want %q", got, want)
	}
}

// Pictures that do not fit into memory come back from the scratch file as they were.
func TestMemory(t *testing.T) {
	m := memory{limit: 40}
	defer m.close()
	for i := range 5 {
		name := string(rune('a' + i))
		if missing, err := m.want([]string{name}); err != nil || len(missing) != 1 {
			t.Fatal(missing, err)
		}
		m.put(name, []float32{float32(i), 1, 2, 3})
	}
	if missing, err := m.want([]string{"a", "c", "b", "a", "new"}); err != nil || !slices.Equal(missing, []string{"new"}) {
		t.Fatal(missing, err)
	}
	for i, name := range []string{"a", "b", "c"} {
		if !slices.Equal(m.values[name], []float32{float32(i), 1, 2, 3}) {
			t.Errorf("%s: %v", name, m.values[name])
		}
	}
	if m.values["d"] != nil || m.values["e"] != nil || m.bytes != 48 {
		t.Errorf("%d bytes in memory: %v", m.bytes, m.order)
	}
}

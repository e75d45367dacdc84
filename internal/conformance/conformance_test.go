package conformance

import (
	"bufio"
	"context"
	"os"
	"path/filepath"
	"testing"
)

// TestGoldens runs the committed cases and, where the shared tree is present, all others of the committed kinds.
func TestGoldens(t *testing.T) {
	repo := filepath.Join("..", "..")
	dirs := []string{filepath.Join(repo, "testdata", "golden")}
	if shared := os.Getenv("MMC4_SHARED"); shared != "" {
		dirs = append(dirs, filepath.Join(shared, "golden"))
	} else {
		t.Log("MMC4_SHARED is not set: only the committed goldens are checked")
	}
	kinds := committedKinds(t, filepath.Join(repo, "testdata", "golden-kinds"))
	env := &Env{Device: "cpu", DType: "fp32"}
	totals, err := Run(context.Background(), env, dirs, kinds, func(r Result) {
		switch r.Status {
		case "FAIL":
			t.Errorf("%s %s: %v", r.Kind, r.Name, r.Why)
		case "skip":
			t.Logf("skip %s %s: %v", r.Kind, r.Name, r.Why)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if totals.Passed == 0 {
		t.Error("no golden was checked")
	}
	t.Log(totals)
}

func committedKinds(t *testing.T, path string) []string {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var kinds []string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if line := lines.Text(); line != "" && line[0] != '#' {
			kinds = append(kinds, line)
		}
	}
	if len(kinds) == 0 {
		t.Fatalf("%s lists no kind", path)
	}
	return kinds
}

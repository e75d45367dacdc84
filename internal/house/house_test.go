package house

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	module   = "mmc4"
	maxLines = 800
)

// layers gives the room of every package its layer; the longest prefix counts. A package may import packages of its
// own room and of lower layers.
var layers = map[string]int{
	"kernels": 0, "internal/storage": 0, "internal/imaging": 0, "internal/jsonscan": 0, "configs": 0,
	"schemas": 1, "models": 1,
	"crawl": 2, "dedup": 2, "match": 2,
	"pipeline": 3, "train": 3, "eval": 3,
	"internal/conformance": 4, "internal/demo": 4, "bench": 4, "internal/house": 4,
	"cmd": 5,
}

// sameLayer lists the rooms that may import another room of their own layer, and why.
var sameLayer = map[string][]string{
	"eval":  {"train"},         // reads what train wrote: its config and checkpoints
	"bench": {"internal/demo"}, // its drawings are the benchmarks' inputs
}

type goPackage struct {
	ImportPath, Dir, Doc string
	Imports              []string
	GoFiles, CgoFiles    []string
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Doc,Imports,GoFiles,CgoFiles", "./...")
	cmd.Dir = filepath.Join("..", "..")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []goPackage
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func room(path string) (string, int, bool) {
	path = strings.TrimPrefix(path, module+"/")
	for prefix := path; prefix != "."; prefix = filepath.Dir(prefix) {
		if layer, ok := layers[prefix]; ok {
			return prefix, layer, true
		}
	}
	return "", 0, false
}

func TestLayers(t *testing.T) {
	for _, p := range packages(t) {
		if strings.HasPrefix(p.ImportPath, module+"/tools") {
			continue
		}
		from, fromLayer, ok := room(p.ImportPath)
		if !ok {
			t.Errorf("%s lies in no room of the design", p.ImportPath)
			continue
		}
		for _, imp := range p.Imports {
			if !strings.HasPrefix(imp, module+"/") {
				continue
			}
			to, toLayer, ok := room(imp)
			switch {
			case !ok:
				t.Errorf("%s imports %s, which lies in no room", p.ImportPath, imp)
			case from == to || toLayer < fromLayer || allowed(from, to):
			default:
				t.Errorf("%s (layer %d) imports %s (layer %d)", p.ImportPath, fromLayer, imp, toLayer)
			}
		}
	}
}

func allowed(from, to string) bool {
	for _, other := range sameLayer[from] {
		if other == to {
			return true
		}
	}
	return false
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range packages(t) {
		if p.Doc == "" && len(p.GoFiles)+len(p.CgoFiles) > 0 {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}

func TestFileLengths(t *testing.T) {
	root := filepath.Join("..", "..")
	code := map[string]bool{".go": true, ".c": true, ".h": true, ".cu": true, ".cuh": true, ".py": true, ".sh": true}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "bin") {
			return filepath.SkipDir
		}
		if d.IsDir() || !code[filepath.Ext(path)] {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if n := bytes.Count(text, []byte{'\n'}); n > maxLines {
			t.Errorf("%s has %d lines, more than %d", path, n, maxLines)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

package conformance

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
)

// Case is one folder of golden results.
type Case struct {
	Dir  string // the folder that holds case.json
	Kind string

	raw json.RawMessage
}

// Decode fills v from case.json; every kind declares the fields it reads.
func (c *Case) Decode(v any) error {
	if err := json.Unmarshal(c.raw, v); err != nil {
		return fmt.Errorf("%s: %w", filepath.Join(c.Dir, "case.json"), err)
	}
	return nil
}

// Path is the path of a file that case.json names relative to its own folder.
func (c *Case) Path(name string) string { return filepath.Join(c.Dir, filepath.FromSlash(name)) }

// Root is the path of a file or folder that case.json names relative to the root of its golden tree (config.images):
// the nearest folder above the case that holds it.
func (c *Case) Root(name string) (string, error) {
	for dir := c.Dir; ; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%s: no folder above it holds %q", c.Dir, name)
		}
	}
}

// Find returns every case below the given folders, sorted by folder.
func Find(dirs []string) ([]*Case, error) {
	var cases []*Case
	for _, root := range dirs {
		if _, err := os.Stat(root); err != nil {
			return nil, fmt.Errorf("golden folder: %w", err)
		}
		abs, err := filepath.Abs(root)
		if err != nil {
			return nil, err
		}
		err = filepath.WalkDir(abs, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.Name() != "case.json" {
				return err
			}
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			var head struct{ Kind string }
			if err := json.Unmarshal(raw, &head); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			cases = append(cases, &Case{Dir: filepath.Dir(path), Kind: head.Kind, raw: raw})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	sort.Slice(cases, func(i, j int) bool { return cases[i].Dir < cases[j].Dir })
	return cases, nil
}

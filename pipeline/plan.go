package pipeline

// RUN/work/run.json, the plan: what the run was begun with. It is created once; every later process compares.

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"mmc4/internal/storage"
)

const (
	planName   = "work/run.json"
	workFormat = 2 // of work shards and journal; raised when an older run cannot be gone on with
)

// plan is everything that decides what the tasks are and what they give.
type plan struct {
	Format   int             `json:"format"`
	Version  string          `json:"version"`
	Inputs   []Input         `json:"inputs"`
	Settings json.RawMessage `json:"settings"`
	Hash     string          `json:"hash"`
	Parts    int             `json:"parts"`
	NSFW     string          `json:"nsfw"`  // SHA-256 of the head's weights, "" = off
	Faces    string          `json:"faces"` // of the probe's
}

// makePlan looks at inputs and settings.
func makePlan(ctx context.Context, cfg *Config) (*plan, error) {
	p := &plan{Format: workFormat, Version: cfg.Version}
	for _, k := range []struct {
		kind     string
		patterns []string
	}{{"c4", cfg.C4}, {"wat", cfg.WAT}, {"index", cfg.Index}, {"pairs", cfg.Pairs}} {
		found, err := findInputs(ctx, k.kind, k.patterns, cfg.WARCBase, cfg.Storage)
		if err != nil {
			return nil, err
		}
		p.Inputs = append(p.Inputs, found...)
	}
	p.Settings, p.Hash = cfg.Settings.canonical()
	p.Parts = cfg.Settings.Parts
	if p.Parts == 0 {
		p.Parts = max(1, len(p.inputsOf("c4")), partsOfLists(p.inputsOf("pairs")))
	}
	var err error
	if p.NSFW, err = hashOf(ctx, cfg.NSFW, cfg.Storage); err != nil {
		return nil, usage("--nsfw: %v", err)
	}
	if p.Faces, err = hashOf(ctx, cfg.Faces, cfg.Storage); err != nil {
		return nil, usage("--faces: %v", err)
	}
	return p, nil
}

func hashOf(ctx context.Context, location string, o storage.Options) (string, error) {
	if location == "" {
		return "", nil
	}
	f, err := storage.OpenFile(ctx, location, o)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, storage.Reader(ctx, f)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// settle makes mine the run's plan, or compares it with the one the run has. It says whether the run was there before.
func (mine *plan) settle(ctx context.Context, store storage.Store) (resumed bool, err error) {
	data, err := json.MarshalIndent(mine, "", " ")
	if err != nil {
		return false, err
	}
	err = createExclusive(ctx, store, planName, data)
	if err == nil {
		return false, nil
	}
	if !errors.Is(err, storage.ErrExist) {
		return false, fmt.Errorf("beginning the run: %w", err)
	}
	theirs, err := readPlan(ctx, store)
	if err != nil {
		return false, err
	}
	if found := theirs.compare(mine); len(found) > 0 {
		return false, refused("%s was begun with another configuration:\n  %s\nGo on with the old one, or choose another --out.",
			store.Location(""), inWords(found))
	}
	return true, nil
}

// readPlan reads a run's plan; ErrNotExist is in the error when there is none.
func readPlan(ctx context.Context, store storage.Store) (*plan, error) {
	data, err := storage.ReadFile(ctx, store, planName)
	if err != nil {
		return nil, err
	}
	p := new(plan)
	if err := json.Unmarshal(data, p); err != nil {
		return nil, fmt.Errorf("%s is damaged (%v): it says what the run was begun with; remove the run and begin anew", store.Location(planName), err)
	}
	return p, nil
}

// partitions is the number of partitions of the run's shuffles.
func (p *plan) partitions() int {
	var s Settings
	json.Unmarshal(p.Settings, &s) // zero when it cannot be read, which equals nothing
	return s.Partitions
}

// difference is one thing in which two plans differ.
type difference struct{ key, words string }

// inWords lists differences, a line each, at most twenty.
func inWords(found []difference) string {
	var lines []string
	for i, d := range found {
		if i == 20 {
			lines = append(lines, fmt.Sprintf("and %d more", len(found)-i))
			break
		}
		lines = append(lines, d.words)
	}
	return strings.Join(lines, "\n  ")
}

// compare tells in what now differs from the run's plan.
func (p *plan) compare(now *plan) []difference {
	var out []difference
	if p.Format != now.Format {
		out = append(out, difference{"format", fmt.Sprintf("work format: the run has %d, this program writes %d (the run was begun by version %s)", p.Format, now.Format, p.Version)})
	}
	var was, is map[string]any
	json.Unmarshal(p.Settings, &was)
	json.Unmarshal(now.Settings, &is)
	out = append(out, differences("", was, is)...)
	if p.Parts != now.Parts && len(out) == 0 {
		out = append(out, difference{"parts", fmt.Sprintf("parts: the run has %d, now %d", p.Parts, now.Parts)})
	}
	for _, head := range []struct{ name, was, is string }{{"--nsfw", p.NSFW, now.NSFW}, {"--faces", p.Faces, now.Faces}} {
		if head.was != head.is {
			out = append(out, difference{head.name, fmt.Sprintf("%s: the run has %s, now %s", head.name, orNone(head.was), orNone(head.is))})
		}
	}
	return append(out, inputDifferences(p.Inputs, now.Inputs)...)
}

func orNone(hash string) string {
	if hash == "" {
		return "none"
	}
	return "weights " + hash[:min(12, len(hash))]
}

// differences walks two JSON objects and names every key whose value is another.
func differences(prefix string, was, is map[string]any) []difference {
	var keys []string
	for k := range was {
		keys = append(keys, k)
	}
	for k := range is {
		if _, ok := was[k]; !ok {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	var out []difference
	for _, k := range keys {
		a, b := was[k], is[k]
		left, ok1 := a.(map[string]any)
		right, ok2 := b.(map[string]any)
		switch {
		case ok1 && ok2:
			out = append(out, differences(prefix+k+".", left, right)...)
		case !reflect.DeepEqual(a, b):
			out = append(out, difference{prefix + k, fmt.Sprintf("%s%s: the run has %s, now %s", prefix, k, compact(a), compact(b))})
		}
	}
	return out
}

func compact(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

// inputDifferences names the inputs that came, went or changed.
func inputDifferences(was, is []Input) []difference {
	old := map[string]Input{}
	for _, in := range was {
		old[in.Kind+" "+in.Location] = in
	}
	var out []difference
	for _, in := range is {
		key := in.Kind + " " + in.Location
		before, ok := old[key]
		switch {
		case !ok:
			out = append(out, difference{"input", "input " + in.Location + " is new"})
		case before.Size != in.Size:
			out = append(out, difference{"input", fmt.Sprintf("input %s had %d bytes, now %d", in.Location, before.Size, in.Size)})
		}
		delete(old, key)
	}
	for _, in := range was {
		if _, left := old[in.Kind+" "+in.Location]; left {
			out = append(out, difference{"input", "input " + in.Location + " is not given any more"})
		}
	}
	return out
}

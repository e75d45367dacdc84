package train

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The published counts of trainable parameters (OpenFlamingo's six releases).
func TestReleasedConfigs(t *testing.T) {
	for name, want := range map[string]int64{
		"openflamingo-9b-v1": 1309919248, "openflamingo-3b": 1046992944, "openflamingo-3b-instruct": 1046992944,
		"openflamingo-4b": 960763936, "openflamingo-4b-instruct": 960763936, "openflamingo-9b": 1384781840,
	} {
		c, err := ReadConfig(context.Background(), filepath.Join("..", "configs", name+".yaml"), []string{"optimizer.lr=1e-3", "streams.1.batch=2"})
		if err != nil {
			t.Error(err)
			continue
		}
		if c.Optimizer.LR != 1e-3 || c.Streams[1].Batch != 2 {
			t.Errorf("%s: --set changed nothing", name)
		}
		plan, err := DryRun(context.Background(), c, "")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if plan.Trainable != want {
			t.Errorf("%s: %d trainable parameters, published are %d", name, plan.Trainable, want)
		}
	}
}

func TestBadConfigs(t *testing.T) {
	const good = "kind: lm\nmodel: {model_type: gpt2}\nstreams: [{format: text, paths: [x]}]\n"
	if _, err := ParseConfig([]byte(good), "good"); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		good + "stepz: 4\n": "stepz",
		strings.Replace(good, "kind: lm", "kind: gan", 1): "flamingo, clip, lm, probe",
		good + "steps: 0\n":                                      "steps is 0",
		good + "optimizer: {lr: -1}\n":                           "optimizer.lr is -1",
		good + "schedule: {kind: step}\n":                        "schedule.kind",
		strings.Replace(good, "text,", "docs,", 1):               "streams.0.format",
		strings.Replace(good, "paths: [x]", "paths: []", 1):      "streams.0.paths is empty",
		good + "precision: fp8\n":                                "precision",
		good + "validation: {every: 2}\n":                        "validation.streams",
		strings.Replace(good, "text, ", "text, weight: -1, ", 1): "weight is -1",
	} {
		_, err := ParseConfig([]byte(text), "bad")
		var wrong ConfigError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, wanted words of %q", text, err, want)
		}
	}
}

func TestSchedules(t *testing.T) {
	for _, c := range []struct {
		s    Schedule
		k    int
		want float64
	}{
		{Schedule{"constant", 4, 10}, 0, 0}, {Schedule{"constant", 4, 10}, 2, 0.5}, {Schedule{"constant", 4, 10}, 9, 1},
		{Schedule{"linear", 0, 10}, 5, 0.5}, {Schedule{"linear", 2, 10}, 10, 0}, {Schedule{"cosine", 0, 10}, 5, 0.5}, {Schedule{"cosine", 0, 10}, 0, 1},
	} {
		if got := c.s.At(c.k); got < c.want-1e-12 || got > c.want+1e-12 {
			t.Errorf("%+v at %d: %v, want %v", c.s, c.k, got, c.want)
		}
	}
}

func TestEventFile(t *testing.T) {
	dir := t.TempDir()
	e, err := openEvents(dir, time.Unix(100, 0))
	if err != nil {
		t.Fatal(err)
	}
	if err := e.scalars(time.Unix(101, 0), 7, []string{"loss/a", "lr"}, []float64{1.5, 0.25}); err != nil {
		t.Fatal(err)
	}
	if err := e.close(); err != nil {
		t.Fatal(err)
	}
	names, _ := filepath.Glob(filepath.Join(dir, "events.out.tfevents.*"))
	text, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	records := 0
	for len(text) > 0 {
		n := binary.LittleEndian.Uint64(text)
		if binary.LittleEndian.Uint32(text[8:]) != maskedCRC(text[:8]) || binary.LittleEndian.Uint32(text[12+n:]) != maskedCRC(text[12:12+n]) {
			t.Fatal("a checksum is wrong")
		}
		text = text[16+n:]
		records++
	}
	if records != 2 {
		t.Errorf("%d records", records)
	}
	check := uint32(0xe3069283) // CRC-32C of "123456789"
	if got := maskedCRC([]byte("123456789")); got != (check>>15|check<<17)+0xa282ead8 {
		t.Errorf("crc %x", got)
	}
}

// Two halves of a batch give the gradient of the whole, whatever their loss tokens.
func TestAccumulationDivides(t *testing.T) {
	dir := t.TempDir()
	path := languageConfig(t, dir, 1)
	norm := map[bool]string{}
	for _, split := range []bool{false, true} {
		set := []string{"accumulate=1", "streams.0.batch=8"}
		if split {
			set = []string{"accumulate=4", "streams.0.batch=2"}
		}
		out := filepath.Join(dir, map[bool]string{false: "whole", true: "split"}[split])
		if _, err := train(t, path, out, set...); err != nil {
			t.Fatal(err)
		}
		norm[split] = losses(t, out)[0][:14]
	}
	if norm[false] != norm[true] {
		t.Errorf("whole %s, split %s", norm[false], norm[true])
	}
}

func TestShowBatch(t *testing.T) {
	dir := t.TempDir()
	c, err := ReadConfig(context.Background(), flamingoConfig(t, dir, 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	rows, _, err := ShowBatch(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	var page strings.Builder
	if err := WriteBatch(&page, rows); err != nil {
		t.Fatal(err)
	}
	if len(rows) != 5 || !strings.Contains(rows[0].String(), "<image>[1]") || !strings.Contains(page.String(), "data:image/png;base64,") {
		t.Errorf("%d rows; %s", len(rows), rows[0])
	}
	if strings.Contains(page.String(), "ZgotmplZ") {
		t.Error("the page lost a picture")
	}
}

// A step whose loss is not finite changes nothing, and says which samples it had.
func TestNaNIsSkipped(t *testing.T) {
	dir := t.TempDir()
	c, err := ReadConfig(context.Background(), languageConfig(t, dir, 3), []string{"optimizer.lr=1e30", "schedule.warmup=0", "optimizer.clip=0"})
	if err != nil {
		t.Fatal(err)
	}
	result, err := Run(context.Background(), c, Options{Out: dir + "/out", Device: testDevice})
	if err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(filepath.Join(dir, "out", "skipped.jsonl"))
	if result.Skipped == 0 || !strings.Contains(string(text), `"prose":["text:`) {
		t.Errorf("%d skipped: %s", result.Skipped, text)
	}
	// When all steps are skipped the run ends, and no checkpoint of such weights is left.
	c, err = ReadConfig(context.Background(), languageConfig(t, dir, 300), []string{"optimizer.lr=1e30", "schedule.warmup=0", "optimizer.clip=0", "save.every=10"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Run(context.Background(), c, Options{Out: dir + "/lost", Device: testDevice})
	kept, _ := filepath.Glob(filepath.Join(dir, "lost", "checkpoint-*"))
	if err == nil || !strings.Contains(err.Error(), "diverged") || len(kept) > 0 {
		t.Errorf("nothing but skipped steps: %v; %v", err, kept)
	}
}

// What is wrong with an option is said of the option, not of a line of the file, which is said of the file alone.
func TestSetErrors(t *testing.T) {
	file := filepath.Join("..", "configs", "demo-flamingo.yaml")
	empty := filepath.Join(t.TempDir(), "empty.yaml")
	broken := filepath.Join(t.TempDir(), "broken.yaml")
	if err := errors.Join(os.WriteFile(empty, nil, 0o644), os.WriteFile(broken, []byte("kind: lm\noptimiser: {}\n"), 0o644)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ file, set, want, not string }{
		{file, "optimizer.lr=x", `--set optimizer.lr=x: optimizer.lr is "x": it must be a number`, "line"},
		{file, "optimiser.lr=1", "--set optimiser.lr=1: there is no key optimiser: did you mean optimizer?", "line"},
		{file, "streams.0.batch=-3", "--set streams.0.batch=-3: streams.0", "line"},
		{empty, "steps=3", "empty.yaml with --set steps=3", "line"},
		{broken, "steps=3", "broken.yaml: line 2: there is no key optimiser", "--set"},
	} {
		_, err := ReadConfig(context.Background(), c.file, []string{c.set})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), c.not) {
			t.Errorf("%s with %s: %v, want %q and no %q", c.file, c.set, err, c.want, c.not)
		}
	}
}

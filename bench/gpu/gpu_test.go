package gpu

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mmc4/kernels"
	"mmc4/models/flamingo"
	"mmc4/models/weights"
)

// phase runs a phase on a device of every machine, tiny.
func phase(t *testing.T, name string, o Options) []Line {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "record.json")
	record, err := OpenRecord(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	o.Phase, o.Size, o.Dir, o.Seed = name, "tiny", dir, 1
	if o.Device == "" {
		o.Device = "ref"
	}
	if o.Budget == 0 {
		o.Budget = time.Minute
	}
	if err := Run(context.Background(), o, record); err != nil && !errors.Is(err, ErrFailed) {
		t.Fatal(err)
	}
	if err := record.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := ReadRecord(f)
	if err != nil || len(lines) == 0 {
		t.Fatalf("%d lines: %v", len(lines), err)
	}
	return lines
}

func TestSpeedAlone(t *testing.T) {
	lines := phase(t, "speed", Options{})
	seen := map[string]bool{}
	for _, l := range lines {
		if l.Outcome != OK {
			t.Errorf("%s", l)
		}
		seen[strings.Fields(l.Check)[0]] = true
	}
	for _, check := range []string{"copy", "product", "attention", "layernorm", "CLIP", "Flamingo", "greedy"} {
		if !seen[check] {
			t.Errorf("no check of %s", check)
		}
	}
}

func TestWithoutTimeNothingRuns(t *testing.T) {
	for _, l := range phase(t, "ops", Options{Budget: time.Nanosecond}) {
		if l.Outcome != Skipped || l.Why == "" {
			t.Errorf("%s", l)
		}
	}
}

func TestAFailingCheckIsALine(t *testing.T) {
	for name, f := range map[string]func(*Line) error{
		"error": func(*Line) error { return errors.New("it went wrong") }, "panic": func(*Line) error { panic("it went wrong") },
	} {
		path := filepath.Join(t.TempDir(), "r")
		record, err := OpenRecord(path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r := &run{ctx: context.Background(), record: record, phase: "ops"}
		r.check("bad", f)
		r.check("after", func(l *Line) error { l.Figures["nan"], l.Figures["pi"] = math.NaN(), math.Pi; return nil })
		f, _ := os.Open(path)
		lines, err := ReadRecord(f)
		f.Close()
		if err != nil || len(lines) != 2 || lines[0].Outcome != Failed || !strings.Contains(lines[0].Why, "it went wrong") || r.failed != 1 {
			t.Errorf("%s: %+v %v", name, lines, err)
		}
		if lines[1].Outcome != OK || lines[1].Figures["pi"] != 3.142 || lines[1].Figures["nan"] != 0 {
			t.Errorf("%s: %+v", name, lines[1])
		}
	}
}

func TestRender(t *testing.T) {
	dir := t.TempDir()
	var page bytes.Buffer
	if err := Render(dir, &page); err != nil || !strings.Contains(page.String(), "no record yet") {
		t.Errorf("%v: %s", err, &page)
	}
	record := `{"phase":"speed","check":"machine","outcome":"ok","note":"a GPU"}
{"phase":"speed","check":"copy","outcome":"ok","figures":{"GB/s":3000,"ratio":1.1},"of":"ratio","bar":1,"note":"a | b"}
{"phase":"ops","check":"act","outcome":"failed","why":"differs"}
{"phase":"speed","check":"cut of`
	if err := os.WriteFile(filepath.Join(dir, FileName("NVIDIA H200, 141GB", time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC))), []byte(record), 0o666); err != nil {
		t.Fatal(err)
	}
	page.Reset()
	if err := Render(dir, &page); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"## gpu-nvidia-h200-141gb-2026-01-02", "| copy | ok | ratio 1.1 | 1 | - | GB/s 3000 | a / b |", "| act | failed |", "1 checks ok, 0 failed"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("no %q in\n%s", want, &page)
		}
	}
}

// What is drawn depends on the seed and the name alone, and has the moments that were asked for.
func TestDraw(t *testing.T) {
	const n = 1 << 19
	a := normal("w", n, 3, 1, 0.5)
	if !bytes.Equal(a, normal("w", n, 3, 1, 0.5)) || bytes.Equal(a, normal("v", n, 3, 1, 0.5)) || bytes.Equal(a, normal("w", n, 4, 1, 0.5)) {
		t.Error("the seed and the name do not decide")
	}
	var sum, squares float64
	for _, v := range kernels.DecodeFloats(kernels.BF16, a) {
		sum += float64(v)
		squares += float64(v-1) * float64(v-1)
	}
	if mean, std := sum/n, math.Sqrt(squares/n); math.Abs(mean-1) > 0.01 || math.Abs(std-0.5) > 0.01 {
		t.Errorf("mean %v, deviation %v", mean, std)
	}
}

// The weights of true size have the names and shapes that the models read: checked on the headers' plan, without drawing.
func TestTrueShapesAreThoseOfTheConfig(t *testing.T) {
	c, err := flamingo.ParseConfig([]byte(shapes["true"]))
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, d := range towerTensors(c.Vision, c.EmbedDim) {
		total += count(d.shape)
	}
	if total != 303_966_208+0 { // OpenAI's ViT-L/14 image tower with its projection
		t.Errorf("the tower has %d weights", total)
	}
	dir := t.TempDir()
	tiny, err := flamingo.ParseConfig([]byte(shapes["tiny"]))
	if err != nil {
		t.Fatal(err)
	}
	vision, text, added, err := flamingoFiles(dir, tiny, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{vision, text, added} {
		f, err := weights.Open(context.Background(), path)
		if err != nil {
			t.Fatal(err)
		}
		if len(f.Names()) == 0 {
			t.Errorf("%s is empty", path)
		}
		f.Close()
	}
}

package train

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"mmc4/kernels"
	"mmc4/kernels/ref"
	"mmc4/models/weights"
)

// A skipped step changes nothing at all, not even as the very first: a scale above CLIP's bound is within it before.
func TestSkippedFirstStep(t *testing.T) {
	dir := t.TempDir()
	path := contrastConfig(t, dir)
	c, err := ReadConfig(context.Background(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	shape, err := c.parse(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	start := filepath.Join(dir, "start.safetensors")
	if err := drawCLIP(start, shape.clip, 1); err != nil {
		t.Fatal(err)
	}
	drawn, err := weights.Open(context.Background(), start)
	if err != nil {
		t.Fatal(err)
	}
	all := []weights.Tensor{weights.FromFloat32("logit_scale", []float32{6})}
	for _, name := range drawn.Names() {
		w, err := drawn.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		if name == "visual.class_embedding" {
			w.Data = slices.Clone(w.Data)
			copy(w.Data, kernels.EncodeFloats(kernels.F32, []float32{float32(math.NaN())}))
		}
		all = append(all, w)
	}
	var file bytes.Buffer
	if err := errors.Join(weights.Write(&file, all, nil), drawn.Close()); err != nil {
		t.Fatal(err)
	}
	c.Weights.Start = write(t, filepath.Join(dir, "nan.safetensors"), file.String())
	s, err := openModel(context.Background(), c, ref.New())
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	values := func() (v []string) {
		for _, g := range s.task.Groups() {
			for _, w := range g.Weights {
				x, err := w.Values(s.pass)
				if err != nil {
					t.Fatal(err)
				}
				v = append(v, w.Name+fmt.Sprint(x))
			}
		}
		return v
	}
	before := values()
	if want := fmt.Sprint("logit_scale", []float32{float32(math.Log(20))}); !slices.Contains(before, want) {
		t.Errorf("the scale does not begin as %s", want)
	}
	stepper := &Stepper{Task: s.task, Optimizer: s.opt, Schedule: c.Schedule, Pass: s.pass, Streams: 1}
	defer stepper.Free()
	result, err := stepper.Step([]Part{{Weight: 1, Batch: contrastBatch()}})
	if err != nil || result.Skipped == "" {
		t.Fatalf("skipped %q, %v", result.Skipped, err)
	}
	if after := values(); !slices.Equal(before, after) {
		t.Errorf("weights\n%v, before\n%v", after, before)
	}
}

// A checkpoint whose step is skipped is written by the next step that is learnt from.
func TestSkippedSaveIsDue(t *testing.T) {
	dir := t.TempDir()
	const n, d, batch = 60, 3, 5
	values, labels := make([]float32, n*d), make([]int64, n)
	for i := range values {
		values[i] = float32(i%7) / 7
	}
	values[20*d] = float32(math.NaN())
	var file bytes.Buffer
	if err := weights.Write(&file, []weights.Tensor{weights.FromFloat32("features", values, n, d), weights.FromInt64("labels", labels, n)}, nil); err != nil {
		t.Fatal(err)
	}
	path := write(t, filepath.Join(dir, "probe.yaml"), fmt.Sprintf(`
kind: probe
steps: %d
streams: [{format: features, paths: [%s], batch: %d}]
save: {every: 100, keep: 9}
`, n/batch, write(t, filepath.Join(dir, "features.safetensors"), file.String()), batch))
	if _, err := train(t, path, filepath.Join(dir, "first")); err != nil {
		t.Fatal(err)
	}
	var skipped skipLine
	text, err := os.ReadFile(filepath.Join(dir, "first", "skipped.jsonl"))
	if err == nil {
		err = json.Unmarshal(text, &skipped)
	}
	if err != nil || skipped.Step < 2 || skipped.Step > n/batch-2 {
		t.Fatalf("the step in the middle that is skipped: %d, %v", skipped.Step, err)
	}
	out := filepath.Join(dir, "second")
	if _, err := train(t, path, out, fmt.Sprint("save.every=", skipped.Step), fmt.Sprint("steps=", skipped.Step+2)); err != nil {
		t.Fatal(err)
	}
	found, _ := filepath.Glob(filepath.Join(out, "checkpoint-*"))
	if want := []string{filepath.Join(out, checkpointName(skipped.Step+1)), filepath.Join(out, checkpointName(skipped.Step+2))}; !slices.Equal(found, want) {
		t.Errorf("step %d was skipped; there are %v, not %v", skipped.Step, found, want)
	}
}

// A training leaves nothing on the device: neither its model nor what the optimizer and its steps kept.
func TestTrainingGivesAllBack(t *testing.T) {
	for name, write := range map[string]func(dir string) string{
		"flamingo": func(dir string) string { return flamingoConfig(t, dir, 2) },
		"lm":       func(dir string) string { return languageConfig(t, dir, 2) },
		"clip":     func(dir string) string { return contrastConfig(t, dir) },
	} {
		for _, set := range [][]string{nil, {"precision=bf16"}} {
			dir := t.TempDir()
			c, err := ReadConfig(context.Background(), write(dir), append(set, "steps=2"))
			if err != nil {
				t.Fatal(err)
			}
			dev := ref.New()
			if _, err := runOn(context.Background(), c, Options{Out: filepath.Join(dir, "out"), Note: func(string) {}}, dev); err != nil {
				t.Fatalf("%s %v: %v", name, set, err)
			}
			if dev.Live() > 0 {
				t.Errorf("%s %v: %d bytes were not given back", name, set, dev.Live())
			}
		}
	}
}

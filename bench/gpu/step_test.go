//go:build cuda && cgo

package gpu

import (
	"context"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mmc4/kernels"
	"mmc4/kernels/device"
	"mmc4/models/clip"
	"mmc4/models/flamingo"
	"mmc4/models/weights"
	"mmc4/train"
)

// steps is how long two devices must agree.
const steps = 20

// TestSteps takes the same steps of a tiny Flamingo on the stub driver and on cpu: losses, norms of gradients and the weights
// at the end agree. The stub's log of the calls of a steady step must be the one in testdata/calls-DTYPE.txt; MMC4_UPDATE=1
// writes it anew. tools/cuda/check.sh runs it.
func TestSteps(t *testing.T) {
	log := os.Getenv("MMC4_STUB_LOG")
	if log == "" {
		t.Skip("MMC4_STUB_LOG is not set: make cuda-check runs this on the stub driver")
	}
	for _, c := range []struct {
		name         string
		dtype        kernels.DType
		limit, drift float64 // of losses and norms; of weights
	}{{"fp32", kernels.F32, 1e-4, 1e-4}, {"bf16", kernels.BF16, 3e-2, 3e-2}} {
		t.Run(c.name, func(t *testing.T) {
			want := takeSteps(t, "cpu", c.dtype, nil)
			got := takeSteps(t, "cuda", c.dtype, func(step int) { mark(t, log, c.name, step) })
			for i := range want.found {
				if off := math.Abs(got.found[i]-want.found[i]) / math.Abs(want.found[i]); !(off <= c.limit) {
					t.Errorf("step %d: %v, on cpu %v", i/2+1, got.found[i], want.found[i])
				}
			}
			if _, err := near(got.weights, want.weights, c.drift); err != nil {
				t.Errorf("the weights after %d steps: %v", steps, err)
			}
			compareCalls(t, log, c.name)
		})
	}
}

// taken is what steps led to.
type taken struct {
	found   []float64 // loss and norm of each step
	weights []float32
}

func (out *taken) take(t *testing.T, b *train.Begun) {
	t.Helper()
	r, err := b.Result()
	if err != nil || r.Skipped != "" {
		t.Fatalf("step %d: %v %s", len(out.found)/2+1, err, r.Skipped)
	}
	out.found = append(out.found, r.Losses[0], r.Norm)
}

func takeSteps(t *testing.T, name string, dtype kernels.DType, before func(step int)) (out taken) {
	t.Helper()
	dev, err := device.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	if name == "cuda" && !strings.Contains(dev.Profile(), "stub") {
		t.Skip("not on the stub driver")
	}
	c, err := flamingo.ParseConfig([]byte(shapes["tiny"]))
	if err != nil {
		t.Fatal(err)
	}
	vision, text, added, err := flamingoFiles(t.TempDir(), c, 1)
	if err != nil {
		t.Fatal(err)
	}
	q, err := dev.NewQueue()
	if err != nil {
		t.Fatal(err)
	}
	var files []*weights.File
	for _, path := range []string{vision, text, added} {
		f, err := weights.Open(context.Background(), path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files = append(files, f)
	}
	m, err := flamingo.New(dev, q, c, flamingo.Sources{Vision: files[0], LM: files[1], Flamingo: files[2]},
		flamingo.Options{DType: dtype, Train: true, BF16: dtype == kernels.BF16})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Freeze(dev, q, true); err != nil {
		t.Fatal(err)
	}
	task := &train.Flamingo{Model: m, Preprocess: clip.OpenAIPreprocess(c.Vision.ImageSize), Decay: 0.1}
	opt, err := train.NewOptimizer(dev, q, train.AdamW{LR: 1e-3, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decay: 0.1, Clip: 1}, task.Groups())
	if err != nil {
		t.Fatal(err)
	}
	pass := kernels.NewPass(dev, q, kernels.NewArena(dev, 0), kernels.PassOptions{DType: dtype, Grad: true})
	stepper := &train.Stepper{Task: task, Optimizer: opt, Schedule: train.Schedule{Kind: "constant"}, Pass: pass, Streams: 1}
	f := &flamingoFilesOf{config: c}
	var last *train.Begun
	for i := range steps {
		if before != nil {
			before(i)
		}
		b, err := stepper.Begin([]train.Part{{Weight: 1, Batch: f.batchOf(loads["tiny"], uint64(i%3))}})
		if err != nil {
			t.Fatalf("step %d: %v", i+1, err)
		}
		if i > 0 { // as the trainer does: the step before, when this one is queued
			out.take(t, last)
		}
		last = b
	}
	if before != nil {
		before(steps)
	}
	out.take(t, last)
	for _, w := range m.Trained() {
		v, err := w.Values(pass)
		if err != nil {
			t.Fatal(err)
		}
		out.weights = append(out.weights, v...)
	}
	return out
}

// mark writes a line of its own into the stub's log.
func mark(t *testing.T, log, name string, step int) {
	t.Helper()
	f, err := os.OpenFile(log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fmt.Fprintf(f, "step %s %d\n", name, step)
}

// settled is the step from which on all launches have come before, with each of the batches.
const settled = 8

// compareCalls counts the calls of each step from the log. From the third step on there is no allocation, from settled on all
// steps are alike, and as they were when testdata/calls-NAME.txt was written.
func compareCalls(t *testing.T, log, name string) {
	t.Helper()
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	var counts []map[string]int
	inside := false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "step "); ok {
			inside = strings.HasPrefix(rest, name+" ") && !strings.HasSuffix(rest, fmt.Sprint(" ", steps))
			if inside {
				counts = append(counts, map[string]int{})
			}
			continue
		}
		if inside {
			counts[len(counts)-1][line]++
		}
	}
	if len(counts) != steps {
		t.Fatalf("the log has %d steps", len(counts))
	}
	steady := counts[settled]
	for i, c := range counts[2:] {
		for _, call := range slices.Sorted(maps.Keys(c)) {
			if strings.HasPrefix(call, "alloc") || strings.HasPrefix(call, "free") {
				t.Errorf("step %d: %s", i+3, call)
			}
		}
		if i+2 > settled && lines(c) != lines(steady) {
			t.Errorf("step %d differs from step %d:\n%s\nand\n%s", i+3, settled+1, lines(c), lines(steady))
		}
	}
	path := filepath.Join("testdata", "calls-"+name+".txt")
	now := callsHeader + lines(steady)
	if os.Getenv("MMC4_UPDATE") != "" {
		if err := os.WriteFile(path, []byte(now), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || string(want) != now {
		t.Errorf("the calls of a step are not those of %s (%v); if that is meant, run with MMC4_UPDATE=1. Now:\n%s", path, err, now)
	}
	if n := steady["synchronize"]; n > 0 {
		t.Errorf("a step waits for the device %d times", n)
	}
	total := 0
	for _, n := range steady {
		total += n
	}
	t.Logf("%s: %d calls a step, of them %d synchronisations", name, total, steady["synchronize"])
}

// callsHeader begins the files of calls.
const callsHeader = `# The calls of a steady step, each with how often it comes. None waits for the device: whether a step is learnt from is
# decided there (step_guard), losses and norm are copied to pinned memory (copy to host) and read when the next step is
# queued, and the hyperparameters of many updates were sent together.
`

// lines is a step's calls, sorted, each with how often it came.
func lines(c map[string]int) string {
	var b strings.Builder
	for _, call := range slices.Sorted(maps.Keys(c)) {
		fmt.Fprintf(&b, "%4d %s\n", c[call], call)
	}
	return b.String()
}

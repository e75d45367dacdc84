package eval

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mmc4/configs"
	"mmc4/eval/mini"
	"mmc4/eval/task"
	"mmc4/internal/imaging"
)

// fakeModel answers from a hash of the query, so that the same query always gets the same answer.
type fakeModel struct {
	open  func(string) ([]byte, error)
	seen  map[string]bool
	calls int
	stop  int // fail at this call, 0: never
	// shared counts queries whose demonstrations others are shown too
	shared int
}

var errKilled = errors.New("killed")

func (m *fakeModel) See(_ context.Context, images []string) (map[string]error, error) {
	bad := map[string]error{}
	for _, name := range images {
		if m.seen[name] {
			continue
		}
		data, err := m.open(name)
		if err == nil {
			_, err = imaging.Decode(data, imaging.Limits{})
		}
		if err != nil {
			bad[name] = err
			continue
		}
		m.seen[name] = true
	}
	return bad, nil
}

func (m *fakeModel) call() error {
	if m.calls++; m.calls == m.stop {
		return errKilled
	}
	return nil
}

func (m *fakeModel) count(queries []Query) {
	for _, q := range queries {
		if q.Shared {
			m.shared++
		}
	}
}

func pick(q Query) int {
	h := fnv.New32a()
	h.Write([]byte(q.Text + strings.Join(q.Images, " ")))
	return int(h.Sum32() % 1000)
}

func (m *fakeModel) Generate(_ context.Context, queries []Query, d task.Decoding) ([]string, error) {
	var out []string
	m.count(queries)
	for _, q := range queries {
		if strings.Count(q.Text, "<image>") != len(q.Images) {
			return nil, fmt.Errorf("%d pictures for %q", len(q.Images), q.Text)
		}
		out = append(out, []string{"red, Question", "circle", "a blue square on a white ground.Output", "green"}[pick(q)%4])
	}
	return out, m.call()
}

func (m *fakeModel) Rank(_ context.Context, queries []Query, classes []string) ([][]float64, error) {
	m.count(queries)
	var out [][]float64
	for _, q := range queries {
		row := make([]float64, len(classes))
		for i := range row {
			row[i] = -float64((pick(q)+7*i)%13) / 4
		}
		out = append(out, row)
	}
	return out, m.call()
}

var miniData string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "mini")
	if err == nil {
		err = mini.Write(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	miniData = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

func miniConfig(t *testing.T, more string, names ...string) *Config {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "%s\ntasks:\n", more)
	for _, n := range names {
		fmt.Fprintf(&b, "  - {task: %s, data: %s}\n", n, filepath.Join(miniData, n))
	}
	c, err := ParseConfig("test", []byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	c.Out = t.TempDir()
	return c
}

func with(m *fakeModel) Options {
	return Options{Open: func(_ context.Context, open func(string) ([]byte, error)) (Model, error) {
		m.open, m.seen = open, map[string]bool{}
		return m, nil
	}}
}

func read(t *testing.T, c *Config, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(c.Out, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestAllTasks(t *testing.T) {
	c := miniConfig(t, "shots: [0, 4]\nseeds: [1, 2]\nbatch: 4\nensemble: 2\nmodel: none", task.Names()...)
	results, err := Run(context.Background(), c, with(&fakeModel{}))
	if err != nil {
		t.Fatal(err)
	}
	if len(results.Tasks) != 8 {
		t.Fatalf("%d tasks", len(results.Tasks))
	}
	for _, one := range results.Tasks {
		for _, cell := range one.Series {
			if cell.Mean == nil || len(cell.Trials) != 2 || cell.Trials[0].Examples != mini.Tests {
				t.Errorf("%s, %d shots: %+v", one.Name, cell.Shots, cell)
			}
		}
	}
	for _, name := range []string{"submission-vqav2-4-1.json", "submission-vizwiz-0-2.json"} {
		var list []map[string]any
		if err := json.Unmarshal(read(t, c, name), &list); err != nil || len(list) != mini.Tests {
			t.Errorf("%s: %d answers, %v", name, len(list), err)
		}
	}
	page := string(read(t, c, "report.html"))
	for _, want := range []string{"OpenFlamingo-9B v2 (first page)", "data:image/jpeg;base64,", "<svg", "HatefulMemes"} {
		if !strings.Contains(page, want) {
			t.Errorf("the report has no %q", want)
		}
	}
	for _, no := range []string{"http://", "https://", "<script"} {
		if strings.Contains(page, no) {
			t.Errorf("the report has %q in it", no)
		}
	}
	if !strings.Contains(page, "&lt;image&gt;Output:") {
		t.Error("prompts are not escaped")
	}
}

// Killed after any number of batches, and with any torn end of the file, an evaluation ends with the same bytes.
func TestResume(t *testing.T) {
	setting := "shots: [0, 4]\nbatch: 4\nmodel: none"
	whole := miniConfig(t, setting, "coco", "hatefulmemes")
	if _, err := Run(context.Background(), whole, with(&fakeModel{})); err != nil {
		t.Fatal(err)
	}
	want := read(t, whole, "predictions.jsonl")

	killed := miniConfig(t, setting, "coco", "hatefulmemes")
	for stop := range 5 {
		_, err := Run(context.Background(), killed, with(&fakeModel{stop: 1 + stop%2}))
		if !errors.Is(err, errKilled) {
			t.Fatalf("not killed: %v", err)
		}
		path := filepath.Join(killed.Out, "predictions.jsonl")
		data := read(t, killed, "predictions.jsonl")
		if err := os.WriteFile(path, append(data, `{"task":"coco","sho`...), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Run(context.Background(), killed, with(&fakeModel{})); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read(t, killed, "predictions.jsonl"), want) {
		t.Error("the predictions differ")
	}
	if !bytes.Equal(read(t, killed, "results.json"), read(t, whole, "results.json")) {
		t.Error("the results differ")
	}
	done := &fakeModel{}
	if _, err := Run(context.Background(), killed, with(done)); err != nil || done.calls != 0 {
		t.Errorf("a finished evaluation asked the model %d times, %v", done.calls, err)
	}

	other := *killed
	other.Batch = 2
	if _, err := Run(context.Background(), &other, with(&fakeModel{})); !errors.Is(err, ErrRefused) {
		t.Errorf("another config went on with the same folder: %v", err)
	}
}

// TestAnotherTaskFile changes the wording of a user's task between two runs.
func TestAnotherTaskFile(t *testing.T) {
	dir := t.TempDir()
	mine := filepath.Join(dir, "mine.yaml")
	text, err := configs.Tasks.ReadFile("tasks/coco.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c := miniConfig(t, "shots: [0]\nmodel: none", "coco")
	c.Tasks[0].Task = mine
	for i, wording := range []string{"Output:", "A picture of"} {
		if err := os.WriteFile(mine, bytes.ReplaceAll(text, []byte("Output:"), []byte(wording)), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Run(context.Background(), c, with(&fakeModel{})); errors.Is(err, ErrRefused) != (i > 0) {
			t.Errorf("%s: %v", wording, err)
		}
	}
}

func TestSlices(t *testing.T) {
	setting := "shots: [4]\nbatch: 2\nmodel: none"
	whole := miniConfig(t, setting, "vqav2", "imagenet")
	if _, err := Run(context.Background(), whole, with(&fakeModel{})); err != nil {
		t.Fatal(err)
	}
	sliced := miniConfig(t, setting, "vqav2", "imagenet")
	for slice := 1; slice <= 3; slice++ {
		o := with(&fakeModel{})
		o.Slice, o.Slices = slice, 3
		if results, err := Run(context.Background(), sliced, o); err != nil || results != nil {
			t.Fatal(results, err)
		}
	}
	last := &fakeModel{}
	if _, err := Run(context.Background(), sliced, with(last)); err != nil {
		t.Fatal(err)
	}
	if last.calls != 0 {
		t.Errorf("%d batches were computed again", last.calls)
	}
	if !bytes.Equal(read(t, sliced, "predictions.jsonl"), read(t, whole, "predictions.jsonl")) {
		t.Error("the predictions of slices differ")
	}
}

// Predictions do not depend on the batch size: neither does the choice of demonstrations, nor the text.
func TestBatchSize(t *testing.T) {
	lines := map[int]string{}
	for _, batch := range []int{1, 4} {
		c := miniConfig(t, fmt.Sprintf("shots: [4]\nbatch: %d\nmodel: none", batch), "okvqa")
		if _, err := Run(context.Background(), c, with(&fakeModel{})); err != nil {
			t.Fatal(err)
		}
		_, lines[batch], _ = strings.Cut(string(read(t, c, "predictions.jsonl")), "\n")
	}
	if lines[1] != lines[4] {
		t.Error("the batch size shows")
	}
}

// Fixed demonstrations are the same for all examples of a trial, and the model is told so; drawn ones are not.
func TestFixed(t *testing.T) {
	for _, fixed := range []bool{true, false} {
		c := miniConfig(t, "shots: [4]\nseeds: [1, 2]\nmodel: none", "vqav2", "imagenet")
		if fixed {
			c.Demonstrations = "fixed"
		}
		m := &fakeModel{}
		if _, err := Run(context.Background(), c, with(m)); err != nil {
			t.Fatal(err)
		}
		lists := map[string]bool{}
		for _, line := range bytes.Split(read(t, c, "predictions.jsonl"), []byte("\n"))[1:] {
			var r Record
			if json.Unmarshal(line, &r) == nil {
				lists[fmt.Sprint(r.Task, r.Seed, r.Demonstrations)] = true
			}
		}
		if fixed != (len(lists) == 4) || fixed != (m.shared == 4*mini.Tests) {
			t.Errorf("fixed %v: %d lists of demonstrations in 4 trials, %d shared queries", fixed, len(lists), m.shared)
		}
	}
}

func TestMissingPicture(t *testing.T) {
	dir := t.TempDir()
	if err := mini.Write(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "coco", "val2014", fmt.Sprintf("COCO_val2014_%012d.jpg", mini.Training+1))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "coco", "val2014", fmt.Sprintf("COCO_val2014_%012d.jpg", mini.Training+2)), []byte("no picture"), 0o644); err != nil {
		t.Fatal(err)
	}
	c := miniConfig(t, "shots: [0]\nmodel: none", "coco")
	c.Tasks[0].Data = filepath.Join(dir, "coco")
	results, err := Run(context.Background(), c, with(&fakeModel{}))
	if !errors.Is(err, ErrPartial) || results == nil || results.Failed != 2 {
		t.Fatalf("%+v, %v", results, err)
	}
	trial := results.Tasks[0].Series[0].Trials[0]
	if trial.Examples != mini.Tests-2 || len(trial.Failed) != 2 || !strings.Contains(trial.Failed[0].Error, "no such picture") {
		t.Errorf("%+v", trial)
	}
}

func TestConfigErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                      "tasks",
		"tasks: []":             "tasks",
		"shotz: [1]":            "shotz",
		"tasks: [{task: coco}]": "data",
		"tasks: [{taks: coco}]": "taks",
		"dtype: fp8":            "fp8",
		"compat: v3":            "open_flamingo-2.0",
		"demonstrations: best":  "random",
		"device: tpu":           "cuda",
		"samples: -1\ntasks: [{task: coco, data: x}]":           "samples",
		"seeds: [1, 2, 1]\ntasks: [{task: coco, data: x}]":      "seeds: 1 is there twice",
		"shots: [4, 4]\ntasks: [{task: coco, data: x}]":         "shots: 4 is there twice",
		"demonstrations: rices\ntasks: [{task: coco, data: x}]": "clip",
		"model: {weights: x}":                                   "weights",
	} {
		if _, err := ParseConfig("c.yaml", []byte(text)); !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want it to name %q", text, err, want)
		}
	}
}

// A config changes what it names of a task's decoding, and nothing else.
func TestDecodingChange(t *testing.T) {
	c, err := ParseConfig("test", []byte("model: none\ntasks: [{task: coco, data: x, decoding: {length_penalty: -2}}, {task: vqav2, data: x, decoding: {max_new_tokens: 9, beams: 1}}]"))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []task.Decoding{{MaxNewTokens: 20, Beams: 3, LengthPenalty: -2}, {MaxNewTokens: 9, Beams: 1}} {
		if one, err := c.Tasks[i].load(); err != nil || one.Decoding != want {
			t.Errorf("%+v, want %+v, %v", one.Decoding, want, err)
		}
	}
}

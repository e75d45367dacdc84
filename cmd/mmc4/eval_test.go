package main

// mmc4 eval as a person runs it: miniature data sets in the official formats, a tiny model, arguments in, files out.

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mmc4/eval"
	"mmc4/eval/mini"
	"mmc4/eval/task"
)

// evaluation is a folder with a model, data sets and a config for tasks; more are lines of the config.
func evaluation(t *testing.T, tests int, more string, tasks ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := mini.WriteModel(filepath.Join(dir, "model"), filepath.Join("..", "..", "testdata", "golden", "flamingo.generate")); err != nil {
		t.Fatal(err)
	}
	if err := mini.WriteSized(filepath.Join(dir, "data"), mini.Training, tests); err != nil {
		t.Fatal(err)
	}
	config := "model: model\ndevice: cpu\nout: results\n" + more + "\ntasks:\n"
	for _, name := range tasks {
		config += fmt.Sprintf("  - {task: %s, data: data/%s}\n", name, name)
	}
	write(t, dir, "eval.yaml", config)
	return dir
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// What docs/eval.md promises of all eight tasks.
func TestEvalAllTasks(t *testing.T) {
	dir := evaluation(t, mini.Tests, "shots: [0, 4]\nseeds: [1, 2]", task.Names()...)
	code, stdout, stderr := mmc4(t, "eval", filepath.Join(dir, "eval.yaml"), "--json")
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	var cells int
	for line := range strings.Lines(stdout) {
		var cell struct {
			Task, Metric string
			Shots        int
			Mean         *float64
			Trials       []eval.Trial
		}
		if err := json.Unmarshal([]byte(line), &cell); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if cell.Mean == nil || len(cell.Trials) != 2 || cell.Trials[0].Examples != mini.Tests {
			t.Errorf("%+v", cell)
		}
		cells++
	}
	if cells != 16 {
		t.Errorf("%d cells, want 16", cells)
	}
	for _, name := range []string{"results.json", "predictions.jsonl", "report.html", "submission-vqav2-4-1.json", "submission-vizwiz-0-2.json"} {
		if _, err := os.Stat(filepath.Join(dir, "results", name)); err != nil {
			t.Error(err)
		}
	}
	if !strings.Contains(stderr, "report.html") {
		t.Errorf("nobody says where the report is: %s", stderr)
	}
}

// An evaluation that is killed five times, wherever it is, and started again ends with the same files, byte for byte.
func TestEvalKilled(t *testing.T) {
	const settings = "shots: [0, 2]\nbatch: 2\ndemonstrations: fixed"
	dir := evaluation(t, 40, settings, "coco", "vqav2", "imagenet")
	start := func(out string) *exec.Cmd {
		cmd := exec.Command(os.Args[0], "eval", "eval.yaml", "--out", out)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), mainEnv+"=1")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	if err := start("whole").Wait(); err != nil {
		t.Fatal(err)
	}
	read := func(out, name string) []byte {
		data, err := os.ReadFile(filepath.Join(dir, out, name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	want := read("whole", "predictions.jsonl")
	rng := rand.New(rand.NewPCG(1, 2))
	for range 5 {
		cmd := start("killed")
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		// Somewhere in the next sixth of the file, and a moment later.
		before, _ := os.Stat(filepath.Join(dir, "killed", "predictions.jsonl"))
		size := rng.Int64N(int64(len(want)) / 6)
		if before != nil {
			size += before.Size()
		}
		for {
			if now, err := os.Stat(filepath.Join(dir, "killed", "predictions.jsonl")); err == nil && now.Size() > size {
				break
			}
			select {
			case err := <-ended:
				t.Fatalf("it ended before it was killed: %v", err)
			case <-time.After(time.Millisecond):
			}
		}
		time.Sleep(time.Duration(rng.IntN(5000)) * time.Microsecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; err == nil || cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatalf("it was not killed: %v", err)
		}
	}
	if got := read("killed", "predictions.jsonl"); len(got) >= len(want) {
		t.Fatalf("nothing was left to do: %d of %d bytes", len(got), len(want))
	}
	if err := start("killed").Wait(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"predictions.jsonl", "results.json", "report.html", "submission-vqav2-2-42.json"} {
		if !bytes.Equal(read("killed", name), read("whole", name)) {
			t.Errorf("%s differs", name)
		}
	}
}

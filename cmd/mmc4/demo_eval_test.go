package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestDemoEval goes the demo's whole way in small: draw, train a language model and a Flamingo, examine, evaluate. What is
// there already is not made again, and other questions replace older answers.
func TestDemoEval(t *testing.T) {
	out := filepath.Join(t.TempDir(), "demo")
	run := func(arguments ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), os.Args[0], append([]string{"demo", "eval", "--out", out}, arguments...)...)
		cmd.Env = append(os.Environ(), mainEnv+"=1")
		text, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", arguments, err, text)
		}
		return string(text)
	}
	text := run("--drawings", "160", "--held", "24", "--text-steps", "4", "--steps", "4", "--samples", "6")
	for _, want := range []string{"4 examples:", "with exchanged pictures", "Drawings", "4 shots", "report.html"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
	report, err := os.ReadFile(filepath.Join(out, "eval", "results", "report.html"))
	if err != nil || !strings.Contains(string(report), "<svg") {
		t.Errorf("the report has no picture of shots against score (%v)", err)
	}
	for samples, lines := range map[string]int{"6": 1 + 3*6, "5": 1 + 3*5} {
		if text := run("--samples", samples); strings.Contains(text, "a language model on") {
			t.Errorf("it was trained again:\n%s", text)
		}
		predictions, err := os.ReadFile(filepath.Join(out, "eval", "results", "predictions.jsonl"))
		if err != nil || strings.Count(string(predictions), "\n") != lines {
			t.Errorf("%s questions of 3 kinds make %d lines (%v)", samples, strings.Count(string(predictions), "\n"), err)
		}
	}
}

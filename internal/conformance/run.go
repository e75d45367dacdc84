package conformance

import (
	"context"
	"fmt"
	"path"
	"strings"
)

// Env is what a run of goldens uses.
type Env struct {
	Device string // ref, cpu, cuda
	DType  string // fp32, bf16, int8
	Dump   string // folder for what was computed, or ""
}

// Checker recomputes one case and reports every comparison. An error means that the case could not be run at all,
// and counts as a failure.
type Checker func(ctx context.Context, env *Env, c *Case, r *Report) error

var checkers = map[string]Checker{}

// register makes a kind known; called from init of kind_*.go.
func register(kind string, check Checker) {
	if checkers[kind] != nil {
		panic("conformance: kind registered twice: " + kind)
	}
	checkers[kind] = check
}

// Result is one line of `mmc4 golden`.
type Result struct {
	Status  string   `json:"status"` // ok, FAIL, skip
	Kind    string   `json:"kind"`
	Name    string   `json:"name"`
	Inner   int      `json:"cases"`
	Worst   float64  `json:"worst"` // largest error over its tolerance
	WorstAt string   `json:"worst_at,omitempty"`
	Why     []string `json:"why,omitempty"`
}

// Totals is the closing line.
type Totals struct{ Passed, Failed, Skipped int }

func (t Totals) String() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", t.Passed, t.Failed, t.Skipped)
}

// Run checks every case below dirs whose kind matches one of the patterns (names or globs; none means all) and hands
// each result to say as it is made.
func Run(ctx context.Context, env *Env, dirs, patterns []string, say func(Result)) (Totals, error) {
	var totals Totals
	cases, err := Find(dirs)
	if err != nil {
		return totals, err
	}
	for _, c := range cases {
		if err := ctx.Err(); err != nil {
			return totals, err
		}
		wanted, err := matches(c.Kind, patterns)
		if err != nil {
			return totals, err
		}
		if !wanted {
			continue
		}
		result := runCase(ctx, env, c)
		switch result.Status {
		case "ok":
			totals.Passed++
		case "skip":
			totals.Skipped++
		default:
			totals.Failed++
		}
		say(result)
	}
	return totals, nil
}

func runCase(ctx context.Context, env *Env, c *Case) (result Result) {
	result = Result{Status: "ok", Kind: c.Kind, Name: shortName(c.Dir)}
	report := &Report{}
	defer func() {
		if p := recover(); p != nil {
			report.Failf("panic: %v", p)
		}
		result.Inner, result.Worst, result.WorstAt = report.Inner, report.Worst, report.WorstAt
		switch {
		case report.Failed > 0:
			result.Status, result.Why = "FAIL", report.Failures
			if more := report.Failed - len(report.Failures); more > 0 {
				result.Why = append(result.Why, fmt.Sprintf("and %d more", more))
			}
		case report.Skipped != "":
			result.Status, result.Why = "skip", []string{report.Skipped}
		}
	}()
	check := checkers[c.Kind]
	if check == nil {
		report.Failf("this build does not know the kind %q", c.Kind)
		return
	}
	if err := check(ctx, env, c, report); err != nil {
		report.Failf("%v", err)
	} else if report.Inner == 0 && report.Skipped == "" && report.Failed == 0 {
		report.Failf("the case compared nothing")
	}
	return
}

func matches(kind string, patterns []string) (bool, error) {
	for _, p := range patterns {
		ok, err := path.Match(p, kind)
		if err != nil {
			return false, fmt.Errorf("--kinds %q: %w", p, err)
		}
		if ok {
			return true, nil
		}
	}
	return len(patterns) == 0, nil
}

func shortName(dir string) string {
	parts := strings.Split(strings.ReplaceAll(dir, "\\", "/"), "/")
	return strings.Join(parts[max(0, len(parts)-2):], "/")
}

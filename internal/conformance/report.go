package conformance

import (
	"fmt"
	"math"
	"reflect"
)

// Tolerance is how far a computed tensor may lie from the expected one: max|got - want| <= ATol + RTol * max|want|,
// with the maximum over the whole tensor.
type Tolerance struct {
	RTol float64 `json:"rtol"`
	ATol float64 `json:"atol"`
}

// Report gathers what one case found.
type Report struct {
	Inner    int      // comparisons made
	Worst    float64  // largest error over its tolerance; 1 is the limit
	WorstAt  string   // where that was
	Failures []string // what differed, at most maxFailures of them spelled out
	Failed   int      // how many differed
	Skipped  string   // why nothing could be run; only where a named decoder is missing
}

const maxFailures = 20

// Failf records a difference.
func (r *Report) Failf(format string, args ...any) {
	r.Failed++
	if len(r.Failures) < maxFailures {
		r.Failures = append(r.Failures, fmt.Sprintf(format, args...))
	}
}

// Skipf says that the case cannot be run on this machine.
func (r *Report) Skipf(format string, args ...any) { r.Skipped = fmt.Sprintf(format, args...) }

// Equal counts an exact comparison.
func (r *Report) Equal(label string, got, want any) bool {
	r.Inner++
	if reflect.DeepEqual(got, want) {
		return true
	}
	r.Failf("%s: got %s, want %s", label, short(got), short(want))
	return false
}

// Close counts a comparison of two tensors' elements under the tolerance. NaN equals NaN only.
func (r *Report) Close(label string, got, want []float32, tol Tolerance) bool {
	r.Inner++
	if len(got) != len(want) {
		r.Failf("%s: got %d elements, want %d", label, len(got), len(want))
		return false
	}
	var worst, scale float64
	at := 0
	for i := range want {
		g, w := float64(got[i]), float64(want[i])
		if math.IsNaN(g) && math.IsNaN(w) {
			continue
		}
		diff := math.Abs(g - w)
		if math.IsNaN(diff) {
			diff = math.Inf(1)
		}
		if diff > worst {
			worst, at = diff, i
		}
		scale = max(scale, math.Abs(w))
	}
	return r.ratio(label, worst, tol.ATol+tol.RTol*scale, func() string {
		return fmt.Sprintf("%s[%d]: got %g, want %g", label, at, got[at], want[at])
	})
}

// Near counts a comparison of two numbers under an absolute limit.
func (r *Report) Near(label string, got, want, limit float64) bool {
	r.Inner++
	diff := math.Abs(got - want)
	if math.IsNaN(diff) && !(math.IsNaN(got) && math.IsNaN(want)) {
		diff = math.Inf(1)
	}
	return r.ratio(label, diff, limit, func() string { return fmt.Sprintf("%s: got %v, want %v", label, got, want) })
}

func (r *Report) ratio(label string, diff, limit float64, say func() string) bool {
	if diff == 0 || math.IsNaN(diff) {
		return true
	}
	over := diff / limit
	if over > r.Worst {
		r.Worst, r.WorstAt = over, label
	}
	if over > 1 {
		r.Failf("%s, off by %g, allowed %g", say(), diff, limit)
		return false
	}
	return true
}

func short(v any) string {
	s := fmt.Sprintf("%+v", v)
	if b, ok := v.([]byte); ok {
		s = fmt.Sprintf("%q", b)
	}
	if str, ok := v.(string); ok {
		s = fmt.Sprintf("%q", str)
	}
	if len(s) > 200 {
		return s[:200] + "..."
	}
	return s
}

package bench

// Results as lines for people.

import (
	"fmt"
	"strings"
)

// Header is the line above the table.
func Header() string {
	return fmt.Sprintf("%-26s %12s %12s %-9s %7s %6s  %s", "row", "ours", "peer's", "unit", "ratio", "bar", "peer; input; agreement")
}

// String is the result's line.
func (r Result) String() string {
	if !r.Agreed || r.Ratio == 0 {
		why := "FAILED: " + r.Failed
		if r.Skipped != "" {
			why = "skipped: " + r.Skipped
		}
		return fmt.Sprintf("%-26s %s", r.Name, strings.ReplaceAll(why, "\n", "\n    "))
	}
	bar := "-"
	if r.Bar > 0 {
		bar = fmt.Sprintf("%.1f", r.Bar)
	}
	words := r.Version + "; " + r.Input + "; " + r.Agreement
	if r.OurBuild != "" {
		words = r.OurBuild + " against " + words
	}
	return fmt.Sprintf("%-26s %12s %12s %-9s %6.2fx %6s  %s", r.Name, figure(r.Ours), figure(r.Theirs), r.Unit, r.Ratio, bar, words)
}

// figure has four digits.
func figure(v float64) string {
	switch {
	case v >= 1000:
		return fmt.Sprintf("%.0f", v)
	case v >= 100:
		return fmt.Sprintf("%.1f", v)
	case v >= 10:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3f", v)
}

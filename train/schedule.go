package train

// Learning rates over the steps: transformers' constant, linear and cosine schedules with linear warm-up, where the first
// step of a warm-up has rate 0.

import (
	"fmt"
	"math"
)

// Schedule is the factor on the learning rate.
type Schedule struct {
	Kind   string `yaml:"kind" json:"kind"`     // constant, linear, cosine
	Warmup int    `yaml:"warmup" json:"warmup"` // steps
	Total  int    `yaml:"-" json:"total"`       // where linear and cosine reach 0
}

func (s Schedule) check() error {
	switch s.Kind {
	case "constant", "linear", "cosine":
	default:
		return fmt.Errorf("schedule.kind %q is none of constant, linear, cosine", s.Kind)
	}
	if s.Warmup < 0 {
		return fmt.Errorf("schedule.warmup is %d", s.Warmup)
	}
	return nil
}

// At is the factor of step k, from 0.
func (s Schedule) At(k int) float64 {
	if k < s.Warmup {
		return float64(k) / float64(s.Warmup)
	}
	done := float64(k-s.Warmup) / math.Max(1, float64(s.Total-s.Warmup))
	switch s.Kind {
	case "linear":
		return math.Max(0, float64(s.Total-k)/math.Max(1, float64(s.Total-s.Warmup)))
	case "cosine":
		return math.Max(0, 0.5*(1+math.Cos(math.Pi*done)))
	}
	return 1
}

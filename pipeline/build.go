package pipeline

// Build, the whole of `mmc4 build`.

import (
	"context"
	"time"
)

// Stages are the stages in their order, as --stage names them.
var Stages = []string{"locate", "fetch", "inspect", "count", "embed", "match", "pack"}

// Summary is what a build came to.
type Summary struct {
	Complete  bool                     `json:"complete"` // the run has its manifest; false after a single stage
	Run       string                   `json:"run"`      // where it lies
	Documents int64                    `json:"documents"`
	Images    int64                    `json:"images"`
	Counts    map[string]int64         `json:"counts"`
	Funnel    []FunnelStep             `json:"funnel"`
	Off       []string                 `json:"off"`
	Problems  []Problem                `json:"problems"`
	Stages    map[string]time.Duration `json:"stages"` // time spent by this process
}

// Build makes a run, or goes on with it. The error wraps ErrUsage, ErrPartial or ErrRefused where it is one of these;
// after ErrPartial the Summary is as good as after none.
func Build(ctx context.Context, cfg Config, progress Progress) (Summary, error) {
	return Summary{}, usage("not built yet")
}

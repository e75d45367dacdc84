package main

import (
	"context"
	"strings"
	"time"

	"mmc4/bench"
	"mmc4/pipeline"
)

type benchCmd struct {
	common
	Peers   string        `help:"Folder that 'make peers' filled." default:".cache/peers" type:"path" placeholder:"DIR"`
	Rounds  int           `help:"Rounds of a row; 7 at least." default:"7"`
	AtLeast time.Duration `help:"CPU time of one side in one round; short work is repeated." default:"300ms"`
	Seed    uint64        `help:"What the inputs are drawn from." default:"1"`
	Temp    string        `help:"Where to put inputs, up to 3 GB for a row; default: the system's temporary folder." type:"path" placeholder:"DIR"`
	List    bool          `help:"Only name the rows."`
	Names   []string      `arg:"" optional:"" name:"name" help:"Rows, groups (all before the dot) or globs; none: all."`
}

func (benchCmd) Help() string {
	return `Measures this program against what people would otherwise use: same input, one thread each, outputs compared first,
then at least 7 rounds in turn. The ratio is the median of the rounds' ratios of CPU time, above 1 where we are faster; there
is none where outputs differ. Exit code 1 when a row failed, 3 when one could not be measured here.

Example:
  make peers && mmc4 bench warc assign 'gemm.fp32-*'`
}

func (c *benchCmd) Run(ctx context.Context, o *output) error {
	rows, unknown := bench.Select(bench.Rows(), c.Names)
	if len(unknown) > 0 {
		return usagef("no row is called %s; mmc4 bench --list names them", strings.Join(unknown, ", "))
	}
	if c.List {
		for _, row := range rows {
			listed := struct {
				Name  string  `json:"name"`
				Input string  `json:"input"`
				Peer  string  `json:"peer"`
				Bar   float64 `json:"bar,omitempty"`
			}{row.Name, row.Input, row.Peer, row.Bar}
			if err := o.record(c.JSON, listed, row.Name+": "+row.Input+", against "+row.Peer); err != nil {
				return err
			}
		}
		return nil
	}
	o.say(c.JSON, "%s\n%s", bench.Machine(), bench.Header())
	failed, skipped := false, false
	for _, row := range rows {
		lab, err := bench.NewLab(c.Temp, c.Peers, c.Seed)
		if err != nil {
			return err
		}
		r := bench.Run(ctx, lab, row, bench.Options{Rounds: c.Rounds, AtLeast: c.AtLeast})
		if err := lab.Close(); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := o.record(c.JSON, r, r.String()); err != nil {
			return err
		}
		failed, skipped = failed || r.Failed != "", skipped || r.Skipped != ""
	}
	switch {
	case failed:
		return errFailed
	case skipped:
		return pipeline.ErrPartial
	}
	return nil
}

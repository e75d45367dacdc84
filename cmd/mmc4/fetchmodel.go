package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/term"

	"mmc4/models/hub"
)

type fetchModelCmd struct {
	common
	Model    string   `arg:"" help:"hf://org/name, or hf://org/name@REVISION (a branch, tag or commit)."`
	Out      string   `help:"The folder (the model's name unless told)." placeholder:"DIR" type:"path"`
	Endpoint string   `help:"A mirror of the hub." env:"HF_ENDPOINT" placeholder:"URL"`
	Proxy    string   `help:"Fetch through this proxy (unless told: HTTPS_PROXY, HTTP_PROXY, NO_PROXY)." placeholder:"URL"`
	Include  []string `help:"Further files of the repository, by glob." placeholder:"GLOB" sep:"none"`
}

func (fetchModelCmd) Help() string {
	return `Brings a model's config, weights (safetensors before pickles) and tokenizer into a folder that --clip and --model take. Every
file is checked against the hub's hash before it gets its name; a fetch that was cut off goes on where it was when the same
command is given again. The environment variable HF_TOKEN is sent for private and gated models, to the endpoint alone.

Example:
  mmc4 fetch-model hf://org/name@main --out models/name`
}

// modelFolder is the closing line as JSON.
type modelFolder struct {
	Folder string `json:"folder"`
	hub.Manifest
}

func (c *fetchModelCmd) Run(ctx context.Context, o *output) error {
	ref, err := hub.ParseRef(c.Model)
	if err != nil {
		return usageError{err}
	}
	if c.Out == "" {
		c.Out = ref.Folder()
	}
	bar := &fetchProgress{o: o, tty: !c.JSON && term.IsTerminal(int(o.err.Fd()))}
	m, err := hub.Fetch(ctx, ref, c.Out, hub.Options{
		Endpoint: c.Endpoint, Token: os.Getenv("HF_TOKEN"), Proxy: c.Proxy, Include: c.Include, UserAgent: "mmc4/" + version,
		Report: func(e hub.Event) { bar.show(c.JSON, e) },
	})
	if errors.Is(err, hub.ErrUsage) {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	for _, note := range m.Notes {
		fmt.Fprintln(o.err, "note: "+note)
	}
	return o.record(c.JSON, modelFolder{c.Out, m}, fmt.Sprintf("%s at %s is in %s", m.Source, m.Commit, c.Out))
}

// fetchProgress says how far a file is, at most once a second on a terminal and every ten seconds elsewhere.
type fetchProgress struct {
	o    *output
	tty  bool
	last time.Time
}

func (p *fetchProgress) show(asJSON bool, e hub.Event) {
	if e.State != hub.Loading {
		if p.tty {
			fmt.Fprint(p.o.err, "\r\x1b[K")
		}
		_ = p.o.record(asJSON, modelEvent{e.Name, e.Size, e.State}, fmt.Sprintf("%-8s %s (%s)", e.State, e.Name, inBytes(e.Size)))
		return
	}
	every, form := logEvery, "%s: %s of %s\n"
	if p.tty {
		every, form = time.Second, "\r\x1b[K%s: %s of %s"
	}
	if now := time.Now(); now.Sub(p.last) >= every {
		if !p.last.IsZero() || p.tty {
			fmt.Fprintf(p.o.err, form, e.Name, inBytes(e.Have), inBytes(e.Size))
		}
		p.last = now
	}
}

// modelEvent is one file as JSON.
type modelEvent struct {
	File  string `json:"file"`
	Size  int64  `json:"size"`
	State string `json:"state"` // fetched, present
}

// inBytes is a size for people.
func inBytes(n int64) string {
	switch {
	case n < 0:
		return "?"
	case n < 10_000:
		return fmt.Sprintf("%d bytes", n)
	case n < 10_000_000:
		return fmt.Sprintf("%.0f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

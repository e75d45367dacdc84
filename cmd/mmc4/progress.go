package main

import (
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"mmc4/pipeline"
)

// logEvery is how often a stage says how far it is where there is no terminal to draw a bar on.
const logEvery = 10 * time.Second

// progress shows a build's progress on stderr: a bar on a terminal, lines elsewhere, JSON objects on stdout with --json.
type progress struct {
	o     *output
	json  bool
	bars  bool
	mu    sync.Mutex
	bar   *progressbar.ProgressBar
	phase string
	last  time.Time
}

func newProgress(o *output, asJSON bool) *progress {
	return &progress{o: o, json: asJSON, bars: !asJSON && term.IsTerminal(int(o.err.Fd())) && os.Getenv("NO_COLOR") == ""}
}

// Note says something a person should read.
func (p *progress) Note(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	fmt.Fprintln(p.o.err, text)
}

// Update shows how far a stage is.
func (p *progress) Update(s pipeline.StageProgress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.json:
		p.every(s, func() { _ = p.o.record(true, progressRecord{Progress: s}, "") })
	case p.bars:
		p.draw(s)
	default:
		p.every(s, func() { fmt.Fprintln(p.o.err, line(s)) })
	}
}

type progressRecord struct {
	Progress pipeline.StageProgress `json:"progress"`
}

// every says at most one thing in logEvery, and always how a phase ended.
func (p *progress) every(s pipeline.StageProgress, say func()) {
	now := time.Now()
	if p.phase != s.Phase {
		p.phase, p.last = s.Phase, now
	}
	if s.Ended || now.Sub(p.last) >= logEvery {
		p.last = now
		say()
	}
}

func line(s pipeline.StageProgress) string {
	words := fmt.Sprintf("%-8s %d of %d tasks, %d %s, %.0f/s", s.Stage, s.Done, s.Tasks, s.Items, s.Unit, s.Rate)
	switch {
	case s.Ended:
		words += fmt.Sprintf(", done in %s", s.Elapsed.Round(100*time.Millisecond))
	case s.ETA > 0:
		words += fmt.Sprintf(", %s left", s.ETA.Round(time.Second))
	}
	return words
}

func (p *progress) draw(s pipeline.StageProgress) {
	if p.bar == nil || p.phase != s.Phase {
		p.end()
		p.phase = s.Phase
		p.bar = progressbar.NewOptions(max(s.Tasks, 1),
			progressbar.OptionSetWriter(p.o.err),
			progressbar.OptionSetWidth(24),
			progressbar.OptionSetElapsedTime(true),
			progressbar.OptionClearOnFinish(),
			progressbar.OptionSetPredictTime(false))
	}
	p.bar.Describe(line(s))
	_ = p.bar.Set(s.Done)
	if s.Ended {
		p.end()
		fmt.Fprintln(p.o.err, line(s))
	}
}

func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
		p.bar = nil
	}
}

func (p *progress) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.end()
}

package train

// --dry-run: what a run will need, from the config alone: no weights, no tokenizer, no data are read.

import (
	"context"
	"fmt"
	"strings"

	"mmc4/kernels"
	"mmc4/kernels/device"
	"mmc4/models/clip"
	"mmc4/models/flamingo"
	"mmc4/models/lm"
	"mmc4/models/lm/params"
)

// PlanPart is a part of a model with its memory.
type PlanPart struct {
	Name       string `json:"name"`
	Parameters int64  `json:"parameters"`
	Trained    bool   `json:"trained"`
	Bytes      int64  `json:"bytes"` // weights, and where trained gradients and both moments
	State      string `json:"state"` // in words
}

// MachinePlan is the time and cost on a machine.
type MachinePlan struct {
	Name    string  `json:"name"`
	Rate    float64 `json:"flops_per_s"` // that is counted on
	Assumed string  `json:"assumed"`     // where it comes from
	Hours   float64 `json:"hours"`
	Dollars float64 `json:"dollars,omitempty"`
	Fits    bool    `json:"fits"` // memory
}

// Plan is the answer of a dry run.
type Plan struct {
	Kind       string        `json:"kind"`
	Parameters int64         `json:"parameters"`
	Trainable  int64         `json:"trainable_parameters"`
	Parts      []PlanPart    `json:"parts"`
	Activation int64         `json:"activation_bytes"` // an estimate
	Memory     int64         `json:"memory_bytes"`
	Steps      int           `json:"steps"`
	Samples    int64         `json:"samples"`
	StepFLOPs  float64       `json:"step_flops"`
	Machines   []MachinePlan `json:"machines"`
	Streams    []string      `json:"streams"`
}

// gpu is a machine whose rate is assumed, not measured: a third of the dense bf16 peak of its data sheet (half of that of
// its fp32 or TF32 peak in fp32), and a usual price by the hour.
type gpu struct {
	name        string
	bf16, tf32  float64 // dense peak, FLOP/s
	memory      int64
	dollarsHour float64
}

var gpus = []gpu{
	{"RTX 4090 24 GB", 165e12, 82e12, 24 << 30, 0.5},
	{"A100 40 GB", 312e12, 156e12, 40 << 30, 1.3},
	{"A100 80 GB", 312e12, 156e12, 80 << 30, 1.8},
	{"H100 80 GB", 989e12, 494e12, 80 << 30, 3},
	{"H200 141 GB", 989e12, 494e12, 141 << 30, 4},
}

const assumedUse = 0.33

// DryRun plans a run. deviceName is where "here" is measured; "" leaves that out.
func DryRun(ctx context.Context, c *Config, deviceName string) (*Plan, error) {
	s, err := c.parse(ctx)
	if err != nil {
		return nil, err
	}
	p := &Plan{Kind: c.Kind, Steps: c.Steps}
	if err := p.parts(c, s); err != nil {
		return nil, ConfigError{err}
	}
	for _, stream := range c.Streams {
		n := int64(stream.Batch) * int64(c.Accumulate) * int64(c.Steps)
		p.Samples += n
		p.Streams = append(p.Streams, fmt.Sprintf("%s: %d samples of up to %d tokens, weight %g", stream.Name, n, stream.MaxTokens, stream.Weight))
	}
	p.StepFLOPs = c.stepWork(s).total()
	p.Activation = c.activations(s)
	p.Memory = p.Activation
	for _, part := range p.Parts {
		p.Memory += part.Bytes
	}
	seconds := func(rate float64) float64 { return p.StepFLOPs * float64(c.Steps) / rate / 3600 }
	if deviceName != "" {
		dev, err := device.Open(deviceName)
		if err != nil {
			return nil, ConfigError{err}
		}
		defer dev.Close()
		dtype := kernels.F32
		if c.Precision == "bf16" {
			dtype = kernels.BF16
		}
		rate, err := Rate(dev, dtype)
		if err != nil {
			return nil, err
		}
		if rate > 0 {
			p.Machines = append(p.Machines, MachinePlan{Name: "here (" + dev.Profile() + ")", Rate: rate * 0.6, Assumed: "60 % of the measured rate of matrix products", Hours: seconds(rate * 0.6), Fits: true})
		}
	}
	for _, g := range gpus {
		peak, what := g.bf16, "bf16"
		if c.Precision == "fp32" {
			peak, what = g.tf32, "TF32"
		}
		hours := seconds(peak * assumedUse)
		p.Machines = append(p.Machines, MachinePlan{Name: g.name, Rate: peak * assumedUse, Assumed: "33 % of its data sheet's " + what + " peak, not measured", Hours: hours,
			Dollars: hours * g.dollarsHour, Fits: p.Memory < g.memory*9/10})
	}
	return p, nil
}

// parts counts weights and their memory.
func (p *Plan) parts(c *Config, s *shapes) error {
	dtype, activations := c.dtypes()
	frozen := int64(dtype.Size())
	learnt := int64(16) // weights, gradients, two moments
	if activations == kernels.BF16 {
		learnt += 2
	}
	part := func(name string, n int64, trained bool, bytes int64) {
		state := "frozen"
		if trained {
			state = "trained: weights, gradients, two moments"
		}
		p.Parts = append(p.Parts, PlanPart{Name: name, Parameters: n, Trained: trained, Bytes: bytes, State: state})
		p.Parameters += n
		if trained {
			p.Trainable += n
		}
	}
	adapters := func(l lm.Config) error {
		if c.LoRA == nil {
			return nil
		}
		ws, err := lm.PlanLoRA(l, *c.LoRA.lm())
		n := params.Count(ws)
		part("adapters (LoRA)", n, true, n*learnt)
		return err
	}
	switch c.Kind {
	case KindFlamingo:
		m := flamingo.Plan(s.flamingo)
		embedding := params.Count(m.Embedding)
		vision, text := visionCount(s.flamingo.Vision, 0), params.Count(lm.Plan(s.flamingo.LM))-embedding
		part("image tower", vision, false, vision*frozen)
		part("language model, without its embedding", text, false, text*frozen)
		// Counted as open_flamingo counts it, of which two rows move: a table in fp32, and a tied head in a smaller type.
		table := embedding * 4
		if s.flamingo.LM.Tied && dtype != kernels.F32 {
			table += embedding * frozen
		}
		part("input embedding", embedding, !c.Freeze, table)
		if !c.Freeze {
			p.Parts[len(p.Parts)-1].State = "trained, of which the rows of new tokens move"
		}
		part("resampler", params.Count(m.Resampler), true, params.Count(m.Resampler)*learnt)
		part("gated blocks", params.Count(m.Gated), true, params.Count(m.Gated)*learnt)
		return adapters(s.flamingo.LM)
	case KindCLIP:
		vision, text := visionCount(s.clip.Vision, s.clip.EmbedDim), textCount(s.clip)+1
		part("image tower", vision, true, vision*learnt)
		part("text tower and scale", text, true, text*learnt)
	case KindLM:
		n := params.Count(lm.Plan(s.lm))
		if c.LoRA != nil {
			part("language model", n, false, n*frozen)
			return adapters(s.lm)
		}
		part("language model", n, true, n*learnt)
	}
	return nil
}

func blockCount(width, mlp int) int64 {
	w, m := int64(width), int64(mlp)
	return 4*w*w + 4*w + 2*w*m + m + w + 4*w
}

// visionCount is the number of parameters of a tower; without a projection Flamingo reads no ln_post either.
func visionCount(c clip.VisionConfig, embed int) int64 {
	w := int64(c.Width)
	n := w*int64(3*c.PatchSize*c.PatchSize) + w + int64(1+c.Patches())*w + 2*w + int64(c.Layers)*blockCount(c.Width, c.MLP)
	if embed > 0 {
		n += 2*w + w*int64(embed)
	}
	return n
}

func textCount(c clip.Config) int64 {
	t := c.Text
	w := int64(t.Width)
	return int64(t.Vocab+t.Context)*w + int64(t.Layers)*blockCount(t.Width, t.MLP) + 2*w + w*int64(c.EmbedDim)
}

// activations estimates what one batch keeps for the way back: about 16 rows of the width a layer (2 with activation
// checkpointing) and the logits.
func (c *Config) activations(s *shapes) int64 {
	rows, size := int64(16), int64(4)
	if c.Checkpoint {
		rows = 2
	}
	if c.Precision == "bf16" {
		size = 2
	}
	var most int64
	for _, stream := range c.Streams {
		tokens := int64(stream.Batch) * int64(stream.MaxTokens)
		var n int64
		switch c.Kind {
		case KindFlamingo:
			l := s.flamingo.LM
			n = tokens*int64(l.Width)*int64(l.Layers)*rows*size + tokens*int64(l.Vocab)*4
			images := int64(stream.Batch * stream.MaxImages)
			if stream.Sequences == "pairs" {
				images = int64(stream.Batch)
			}
			n += images * int64(s.flamingo.Tokens()+s.flamingo.Perceiver.Latents) * int64(s.flamingo.Vision.Width) * int64(s.flamingo.Perceiver.Depth) * 6 * size
		case KindLM:
			n = tokens*int64(s.lm.Width)*int64(s.lm.Layers)*rows*size + tokens*int64(s.lm.Vocab)*4
		case KindCLIP:
			v, t := s.clip.Vision, s.clip.Text
			n = int64(stream.Batch) * (int64(v.Patches()+1)*int64(v.Width*v.Layers) + int64(t.Context)*int64(t.Width*t.Layers)) * rows * size
		}
		most = max(most, n)
	}
	return most
}

// String is the plan for people.
func (p *Plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d parameters, %d trainable\n\n", p.Kind, p.Parameters, p.Trainable)
	for _, part := range p.Parts {
		fmt.Fprintf(&b, "  %-40s %14d  %9s  %s\n", part.Name, part.Parameters, bytesWord(part.Bytes), part.State)
	}
	fmt.Fprintf(&b, "  %-40s %14s  %9s  estimate\n  %-40s %14s  %9s\n\n", "activations", "", bytesWord(p.Activation), "memory", "", bytesWord(p.Memory))
	for _, s := range p.Streams {
		fmt.Fprintf(&b, "  %s\n", s)
	}
	fmt.Fprintf(&b, "  %d steps of %.3g FLOP\n\n", p.Steps, p.StepFLOPs)
	for _, m := range p.Machines {
		cost, fits := "", ""
		if m.Dollars > 0 {
			cost = fmt.Sprintf("about $%.0f", m.Dollars)
		}
		if !m.Fits {
			fits = "; does not fit its memory"
		}
		fmt.Fprintf(&b, "  %-28s %10.1f h  %-14s (%s%s)\n", m.Name, m.Hours, cost, m.Assumed, fits)
	}
	return strings.TrimRight(b.String(), "\n")
}

func bytesWord(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
}

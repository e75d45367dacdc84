package report

// Numbers and facts as the page words them.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"mmc4/pipeline"
	"mmc4/pipeline/audit"
)

// funnel is a funnel to draw: bars in percent of what came in.
type funnel struct {
	Title, In string
	All, Kept int64
	KeptShare float64
	Steps     []funnelStep
}

type funnelStep struct {
	audit.Step
	After      int64
	Wide, Lost float64 // percent: what is left after the rule, what it left out
}

func newFunnel(title, in string, f audit.Funnel) funnel {
	out := funnel{Title: title, In: in, All: f.In, Kept: f.Kept}
	if f.In > 0 {
		out.KeptShare = float64(f.Kept) / float64(f.In)
	}
	for _, s := range f.Steps {
		step := funnelStep{Step: s, After: s.Reached - s.Left}
		if f.In > 0 {
			step.Wide, step.Lost = round2(100*float64(step.After)/float64(f.In)), round2(100*float64(s.Left)/float64(f.In))
		}
		out.Steps = append(out.Steps, step)
	}
	return out
}

// share is a name with a number and its part of all.
type share struct {
	Name  string
	Count int64
	Part  float64 // 0..1
	Wide  float64 // percent of the widest
	Good  bool
}

func newShare(name string, count, all int64) share {
	s := share{Name: name, Count: count}
	if all > 0 {
		s.Part = float64(count) / float64(all)
		s.Wide = round2(100 * s.Part)
	}
	return s
}

// outcomeShares are the outcomes of all image URLs, commonest first.
func outcomeShares(e *audit.Explanation) []share {
	all := int64(0)
	for _, o := range e.ImageURLs {
		all += o.Count
	}
	var out []share
	for _, o := range e.ImageURLs {
		s := newShare(o.Outcome, o.Count, all)
		s.Good = o.Outcome == "ok"
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(a, b share) int { return int(max(-1, min(1, b.Count-a.Count))) })
	return out
}

type fact struct{ Name, Value string }

func facts(m *pipeline.Manifest, files int) []fact {
	out := []fact{
		{"program", strings.TrimSpace(m.Program.Name + " " + m.Program.Version + ", " + m.Program.Go)},
		{"config", m.ConfigHash},
		{"model", m.Profile.Clip},
		{"architecture", m.Profile.Arch},
	}
	var decoders []string
	for _, f := range slices.Sorted(maps.Keys(m.Profile.Decoders)) {
		decoders = append(decoders, f+": "+m.Profile.Decoders[f])
	}
	out = append(out, fact{"decoders", strings.Join(decoders, " · ")})
	for _, h := range []fact{{"NSFW head", m.Profile.NSFW}, {"face probe", m.Profile.Faces}} {
		if h.Value == "" {
			h.Value = "off: no weights were given"
		}
		out = append(out, h)
	}
	if n := len(m.ProfileChanges); n > 0 {
		out = append(out, fact{"profile changes", fmt.Sprintf("%d: parts of this run were computed under another numeric profile (see manifest.json)", n)})
	}
	kinds := map[string][2]int64{}
	for _, in := range m.Inputs {
		k := kinds[in.Kind]
		kinds[in.Kind] = [2]int64{k[0] + 1, k[1] + in.Size}
	}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		out = append(out, fact{"inputs, " + kind, fmt.Sprintf("%s files, %s", thousands(kinds[kind][0]), bytesWords(kinds[kind][1]))})
	}
	for _, p := range m.Problems {
		out = append(out, fact{"not read to its end", p.Input + ": " + p.Error})
	}
	return append(out, fact{"outputs", fmt.Sprintf("%s files", thousands(int64(files)))})
}

func configText(m *pipeline.Manifest) string {
	var buf bytes.Buffer
	if err := json.Indent(&buf, m.Config, "", "  "); err != nil {
		return string(m.Config)
	}
	return buf.String()
}

// thousands writes a number with thin gaps, as 12 345.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}

// percent writes a part of 1.
func percent(part float64) string {
	switch v := 100 * part; {
	case v != 0 && v < 0.1:
		return "< 0.1 %"
	default:
		return strconv.FormatFloat(v, 'f', 1, 64) + " %"
	}
}

// number writes a limit or an edge shortly.
func number(v float64) string { return strconv.FormatFloat(math.Round(v*1000)/1000, 'f', -1, 64) }

func bytesWords(n int64) string {
	units := []string{"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"}
	v, i := float64(n), 0
	for v >= 1024 && i < len(units)-1 {
		v, i = v/1024, i+1
	}
	if i == 0 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%.1f %s", v, units[i])
}

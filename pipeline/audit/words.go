package audit

// An explanation as text for a terminal.

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// WriteExplanation writes an explanation for people, with the top largest causes.
func WriteExplanation(w io.Writer, e *Explanation, top int) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%s\n", e.Run)
	if e.OverPairs {
		writeFunnel(b, "pairs", e.Images, "rows of the lists")
	} else {
		writeFunnel(b, "documents", e.Documents, "read")
		writeFunnel(b, "images", e.Images, "found on their pages")
	}
	if e.Repeated > 0 {
		fmt.Fprintf(b, "  (%s more candidates repeated a URL of their page)\n", thousands(e.Repeated))
	}
	for _, off := range e.Off {
		fmt.Fprintf(b, "  off: %s\n", off)
	}
	for _, p := range e.Problems {
		fmt.Fprintf(b, "  input not read to its end: %s\n", p)
	}
	if len(e.Causes) > 0 {
		fmt.Fprintf(b, "\nwhy, and what to do\n")
	}
	for i := range e.Causes[:min(max(top, 0), len(e.Causes))] {
		writeCause(b, &e.Causes[i])
	}
	if more := len(e.Causes) - top; more > 0 {
		fmt.Fprintf(b, "  and %d rarer cause(s): --top %d, or --json\n", more, len(e.Causes))
	}
	if len(e.Hosts) > 0 {
		fmt.Fprintf(b, "\nhosts that lost most images\n")
		for _, h := range e.Hosts {
			fmt.Fprintf(b, "  %-44s %9s   mostly %s\n", short(h.Host, 44), thousands(h.Count), h.Most)
		}
	}
	fmt.Fprintf(b, "\nto change a limit without fetching again (while RUN/work is there)\n")
	fmt.Fprintf(b, "  %s\n", e.Change)
	return b.Flush()
}

func writeFunnel(b *bufio.Writer, what string, f Funnel, in string) {
	fmt.Fprintf(b, "\n%-34s %11s\n", what+", "+in, thousands(f.In))
	for _, s := range f.Steps {
		off := ""
		if s.Off {
			off = "  (off)"
		}
		fmt.Fprintf(b, "  - %-30s %11s  %5.1f %%%s\n", s.Rule, thousands(s.Left), 100*s.Share, off)
	}
	fmt.Fprintf(b, "%-34s %11s  %5.1f %%\n", "kept", thousands(f.Kept), 100*share(f.Kept, f.In))
}

func writeCause(b *bufio.Writer, c *Cause) {
	fmt.Fprintf(b, "  %.1f %% of lost %s (%s): %s\n", 100*c.OfLost, c.Of, thousands(c.Count), c.Name())
	if c.Advice != "" {
		fmt.Fprintf(b, "      %s\n", c.Advice)
	}
	if c.Set != "" {
		fmt.Fprintf(b, "      to let more through: %s", c.Set)
		if c.Passing > 0 {
			fmt.Fprintf(b, "   (%s of these then pass this rule)", thousands(c.Passing))
		}
		fmt.Fprintln(b)
	}
	for _, x := range c.Examples {
		fmt.Fprintf(b, "      e.g. %s\n", x)
	}
	if len(c.Hosts) > 1 {
		var names []string
		for _, h := range c.Hosts {
			names = append(names, fmt.Sprintf("%s (%s)", short(h.Host, 60), thousands(h.Count)))
		}
		fmt.Fprintf(b, "      hosts: %s\n", strings.Join(names, ", "))
	}
}

// Name is the cause's name: an outcome, or a rule with its detail.
func (c *Cause) Name() string {
	switch {
	case c.Rule == "fetch" && c.Detail != "":
		return c.Detail
	case c.Detail != "":
		return c.Rule + " (" + c.Detail + ")"
	}
	return c.Rule
}

func (x Example) String() string {
	s := short(x.ImageURL, 120)
	if s == "" {
		s = short(x.URL, 120)
	}
	if x.Value != nil && x.Limit != nil {
		s += fmt.Sprintf("  (%.4g, limit %g)", *x.Value, *x.Limit)
	}
	if s == "" {
		s = short(x.Detail, 160)
	}
	return s
}

// short cuts foreign text to n letters on one line, without control characters.
func short(s string, n int) string {
	var b strings.Builder
	for _, r := range s {
		if n--; n < 0 {
			b.WriteString("...")
			break
		}
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			r = '?'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// thousands writes a number with commas.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

package audit

// Counting names in bounded memory: exact while there are few; with many, those that are rare are forgotten, so that
// counts of the common ones are at most a little too low.

import (
	"slices"
	"strings"
)

// counterNames is how many names a counter holds at most.
const counterNames = 200_000

type counter struct {
	counts map[string]int64
	floor  int64 // what a forgotten name may have had
}

func newCounter() *counter { return &counter{counts: map[string]int64{}} }

func (c *counter) add(name string) {
	if n, ok := c.counts[name]; ok {
		c.counts[name] = n + 1
		return
	}
	for len(c.counts) >= counterNames {
		c.floor++
		for name, n := range c.counts {
			if n <= c.floor {
				delete(c.counts, name)
			}
		}
	}
	c.counts[strings.Clone(name)] = 1
}

type counted struct {
	name  string
	count int64
}

// top gives the commonest names; equals by name.
func (c *counter) top(n int) []counted {
	all := make([]counted, 0, len(c.counts))
	for name, count := range c.counts {
		all = append(all, counted{name, count})
	}
	slices.SortFunc(all, func(a, b counted) int {
		if a.count != b.count {
			return int(max(-1, min(1, b.count-a.count)))
		}
		return strings.Compare(a.name, b.name)
	})
	return all[:min(n, len(all))]
}

// hostOf is the host, with its port, of an absolute URL.
func hostOf(url string) string {
	_, rest, ok := strings.Cut(url, "://")
	if !ok {
		return ""
	}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	return rest[strings.LastIndexByte(rest, '@')+1:]
}

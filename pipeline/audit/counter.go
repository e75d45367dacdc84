package audit

// Counting names in bounded memory: exact while there are few; with many, those that are rare are forgotten, so that
// counts of the common ones are at most a little too low.

import (
	"slices"
	"strings"
)

// counterNames is how many names a counter holds at most.
const counterNames = 200_000

// Counter counts names. The zero Counter is not ready: NewCounter makes one.
type Counter struct {
	counts map[string]int64
	floor  int64 // what a forgotten name may have had
}

// NewCounter makes an empty Counter.
func NewCounter() *Counter { return &Counter{counts: map[string]int64{}} }

// Add counts a name once.
func (c *Counter) Add(name string) {
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

// Counted is a name and how often it came.
type Counted struct {
	Name  string
	Count int64
}

// Top gives the commonest names; equals by name.
func (c *Counter) Top(n int) []Counted {
	all := make([]Counted, 0, len(c.counts))
	for name, count := range c.counts {
		all = append(all, Counted{name, count})
	}
	slices.SortFunc(all, func(a, b Counted) int {
		if a.Count != b.Count {
			return int(max(-1, min(1, b.Count-a.Count)))
		}
		return strings.Compare(a.Name, b.Name)
	})
	return all[:min(n, len(all))]
}

// HostOf is the host, with its port, of an absolute URL.
func HostOf(url string) string {
	_, rest, ok := strings.Cut(url, "://")
	if !ok {
		return ""
	}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	return rest[strings.LastIndexByte(rest, '@')+1:]
}

package robots

// The parser: text to the rules for one agent.

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"time"
)

// MaxBytes is how much of a robots.txt is worth reading; RFC 9309 (2.5) asks for at least 500 KiB.
const MaxBytes = 1 << 20

// Rules are what a robots.txt says to one agent. The zero value allows everything.
type Rules struct {
	rules []rule
	delay time.Duration
}

// CrawlDelay is the pause between two requests that the file asks for, 0 if none.
func (r *Rules) CrawlDelay() time.Duration { return r.delay }

// Size is about how many bytes of memory the rules hold.
func (r *Rules) Size() int64 {
	n := int64(64)
	for i := range r.rules {
		n += 48 + int64(r.rules[i].length) + 16*int64(len(r.rules[i].parts))
	}
	return n
}

// Parse reads a robots.txt for an agent: a product token ("mmc4") or the whole User-Agent header, of which the RFC wants
// the token to be a part. Groups are chosen by the whole token, without regard to case; groups for the same token are
// one group; without a group of its own the agent gets the group "*". Parse never fails: a line that says nothing is
// skipped.
func Parse(text []byte, agent string) *Rules {
	p := parser{tokens: tokens(agent), groups: map[string]*Rules{}}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	for len(text) > 0 {
		end := bytes.IndexAny(text, "\r\n")
		line := text
		if end >= 0 {
			line, text = text[:end], text[end+1:]
		} else {
			text = nil
		}
		p.line(string(line))
	}
	best := p.groups["*"]
	length := 0
	for token := range p.tokens {
		if g := p.groups[token]; g != nil && len(token) > length {
			best, length = g, len(token)
		}
	}
	if best == nil {
		best = &Rules{}
	}
	return best
}

type parser struct {
	tokens  map[string]bool   // what the agent is called
	groups  map[string]*Rules // by token, and "*"; only of groups that the agent could use
	current []*Rules          // the groups that the next rule belongs to
	naming  bool              // the last line that counted was a User-agent line
}

func (p *parser) line(line string) {
	line, _, _ = strings.Cut(line, "#")
	key, value, colon := strings.Cut(line, ":")
	if !colon {
		fields := strings.Fields(line)
		if len(fields) != 2 {
			return
		}
		key, value = fields[0], fields[1]
	}
	value = strings.Trim(value, " \t\v\f")
	switch strings.ToLower(strings.Trim(key, " \t\v\f")) {
	case "user-agent", "useragent", "user agent":
		if !p.naming {
			p.current = p.current[:0]
		}
		p.naming = true
		token := groupToken(value)
		if token != "*" && !p.tokens[token] {
			return
		}
		if p.groups[token] == nil {
			p.groups[token] = &Rules{}
		}
		p.current = append(p.current, p.groups[token])
	case "disallow", "disalow", "dissallow", "dissalow", "diasllow", "disallaw":
		p.rule(value, false)
	case "allow":
		p.rule(value, true)
	case "crawl-delay", "crawldelay":
		p.naming = false
		if seconds, err := strconv.ParseFloat(value, 64); err == nil && seconds > 0 && seconds < math.MaxInt32 {
			for _, g := range p.current {
				g.delay = max(g.delay, time.Duration(seconds*float64(time.Second)))
			}
		}
	}
}

func (p *parser) rule(pattern string, allow bool) {
	p.naming = false
	if pattern == "" || len(p.current) == 0 {
		return
	}
	r := newRule(pattern, allow)
	for _, g := range p.current {
		g.rules = append(g.rules, r)
	}
}

// groupToken is the product token of a User-agent line: "PicBot/2.0" names picbot.
func groupToken(value string) string {
	value = strings.ToLower(value)
	if i := strings.IndexAny(value, "/ \t"); i > 0 {
		value = value[:i]
	}
	return value
}

// tokens are the words of a User-Agent header that can be a product token. Digits are letters here: the RFC's grammar
// forgets them, and half of all robots have some in their name.
func tokens(agent string) map[string]bool {
	words := strings.FieldsFunc(strings.ToLower(agent), func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_')
	})
	set := make(map[string]bool, len(words))
	for _, w := range words {
		set[w] = true
	}
	return set
}

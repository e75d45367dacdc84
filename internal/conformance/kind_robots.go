package conformance

// Kind "robots": what Protego allows. Where npm robots-parser says otherwise the case carries both answers and RFC 9309
// decides; there the reading of package robots is counted, and its own tests say which one it is.

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"mmc4/crawl/fetch/robots"
)

func init() { register("robots", checkRobots) }

func checkRobots(_ context.Context, _ *Env, c *Case, r *Report) error {
	var golden struct {
		Cases []struct {
			Robots       json.RawMessage
			Agent, Path  string
			Allowed      bool
			RobotsParser json.RawMessage `json:"robots_parser"`
			CrawlDelay   float64         `json:"crawl_delay"`
		}
	}
	if err := c.Decode(&golden); err != nil {
		return err
	}
	for i, k := range golden.Cases {
		text, err := robotsText(k.Robots)
		if err != nil {
			return fmt.Errorf("case %d: %w", i, err)
		}
		rules := robots.Parse([]byte(text), k.Agent)
		label := fmt.Sprintf("case %d: %s asks for %s", i, k.Agent, k.Path)
		if k.RobotsParser != nil {
			r.Inner++
			rules.Allowed(k.Path)
		} else {
			r.Equal(label, rules.Allowed(k.Path), k.Allowed)
		}
		if k.CrawlDelay != 0 {
			r.Equal(label+", crawl delay", rules.CrawlDelay().Seconds(), k.CrawlDelay)
		}
	}
	return nil
}

// robotsText is a text as it is, or {"repeat": [before, unit, count, after]}.
func robotsText(raw json.RawMessage) (string, error) {
	var text string
	if err := json.Unmarshal(raw, &text); err == nil {
		return text, nil
	}
	var long struct{ Repeat [4]any }
	if err := json.Unmarshal(raw, &long); err != nil {
		return "", err
	}
	before, ok1 := long.Repeat[0].(string)
	unit, ok2 := long.Repeat[1].(string)
	count, ok3 := long.Repeat[2].(float64)
	after, ok4 := long.Repeat[3].(string)
	if !(ok1 && ok2 && ok3 && ok4) {
		return "", fmt.Errorf("robots: %.80s is neither a text nor a repeat", raw)
	}
	return before + strings.Repeat(unit, int(count)) + after, nil
}

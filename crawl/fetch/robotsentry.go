package fetch

// What is known of the robots.txt of an origin, and what follows from it (RFC 9309, 2.3.1).

import (
	"context"
	"fmt"
	"time"

	"mmc4/crawl/fetch/robots"
)

const (
	robotsKeep     = 24 * time.Hour
	robotsKeepFail = 10 * time.Minute // of one that could not be had
)

type robotsEntry struct {
	origin  string
	host    *host
	loading bool
	cancel  context.CancelFunc // ends the loading
	waiting []*job             // until it is loaded
	rules   *robots.Rules
	size    int64    // of rules, as counted
	why     *refusal // rules are missing because of this
	until   time.Time
}

// judge ends j when the robots.txt does not let it go on.
func (e *robotsEntry) judge(j *job) (ended bool) {
	switch {
	case e.why != nil:
		j.end(e.why.outcome, e.why.detail)
	case !e.rules.Allowed(pathQuery(j.target)):
		j.end(Robots, "robots.txt of "+e.origin+" disallows it for "+Agent)
	default:
		return false
	}
	return true
}

// settle takes what became of the fetching of robots.txt. It is allowed all where there is none (4xx, or a redirect that
// leads nowhere), nothing where it cannot be read now. A host that cannot be reached at all has no robots outcome of its
// own: the picture could not be reached either.
func (e *robotsEntry) settle(r Result) {
	e.cancel()
	e.loading, e.rules, e.why = false, &robots.Rules{}, nil
	keep := robotsKeep
	switch o := r.Outcome; {
	case o == OK || o == TooLarge:
		e.rules = robots.Parse(r.Body, Agent)
	case o == Empty || o == RedirectLoop:
	case r.HTTPStatus/100 == 4 && o == HTTP(r.HTTPStatus) && r.HTTPStatus != 429, r.HTTPStatus/100 == 3 && o == HTTP(r.HTTPStatus):
	case o == DNS, o == Connect, o == TLS, o == "http_502" && r.viaProxy, o == "http_504" && r.viaProxy,
		o == RedirectRefused && r.HTTPStatus == 0:
		keep = robotsKeepFail
		e.why = &refusal{outcome: o, detail: r.Detail}
	default:
		keep = robotsKeepFail
		e.why = &refusal{outcome: Robots, detail: fmt.Sprintf("robots.txt of %s cannot be read, so nothing may be fetched: %s %s", e.origin, o, r.Detail)}
	}
	e.size = e.rules.Size()
	e.until = time.Now().Add(keep)
}

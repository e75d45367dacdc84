package fetch

// A job is one URL on its way: what is asked next, what has been spent, what is known.

import (
	"context"
	"net"
	"strconv"
	"strings"
	"time"

	"mmc4/crawl/weburl"
)

type job struct {
	ctx    context.Context
	run    *run         // whose URL it is; nil for a robots.txt
	robots *robotsEntry // the entry that a robots.txt is for; nil for a picture
	start  *weburl.URL  // of the first hop

	target *weburl.URL     // of the next hop
	seen   map[string]bool // what this attempt has asked, for loops
	hops   int             // redirects followed in this attempt
	left   time.Duration   // network time left to this attempt
	ready  time.Time       // not to be asked before
	fresh  bool            // a connection broke: take a new one
	asked  bool            // some request of this attempt was sent
	result Result          // as far as it is known
	body   share
}

// parseTarget reads a URL that can be asked for.
func parseTarget(raw string, base *weburl.URL) (*weburl.URL, *refusal) {
	u, err := weburl.Parse(raw, base)
	switch {
	case err != nil || u.Scheme == "" || (u.HasHost && u.Host == "" && u.Scheme != "file"):
		return nil, &refusal{outcome: ProtocolError, detail: "not a valid URL: " + short(raw, 200)}
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, &refusal{outcome: RedirectRefused, detail: "the scheme of " + short(raw, 60) + " is neither http nor https"}
	}
	u.Fragment, u.HasFragment = "", false
	u.Username, u.Password = "", ""
	return u, nil
}

// origin is the scheme, host and port of u, as robots.txt and connections are kept by.
func origin(u *weburl.URL) string { return u.Scheme + "://" + address(u) }

// address is host:port of u.
func address(u *weburl.URL) string { return u.Host + ":" + port(u) }

func port(u *weburl.URL) string {
	switch {
	case u.Port >= 0:
		return strconv.Itoa(u.Port)
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// authority is the Host header of a request for u.
func authority(u *weburl.URL) string {
	if u.Port >= 0 {
		return net.JoinHostPort(strings.Trim(u.Host, "[]"), strconv.Itoa(u.Port))
	}
	return u.Host
}

// pathQuery is what robots.txt rules are matched against and what is asked for.
func pathQuery(u *weburl.URL) string {
	s := u.Path
	if s == "" {
		s = "/"
	}
	if u.HasQuery {
		s += "?" + u.Query
	}
	return s
}

// begin starts the next attempt.
func (j *job) begin(total time.Duration) {
	j.result = Result{URL: j.result.URL, Attempts: j.result.Attempts + 1}
	j.target, j.hops, j.left, j.asked = j.start, 0, total, false
	j.seen = map[string]bool{j.start.String(): true}
}

// end writes down what became of the job.
func (j *job) end(o Outcome, detail string) {
	j.result.Outcome = o
	j.result.Detail = strings.ToValidUTF8(short(detail, 300), "\ufffd")
	j.result.FetchedAt = time.Now().UTC()
}

// follow turns the job to where a redirect points; false means that this ended it.
func (j *job) follow(location string, limit int) bool {
	to, bad := parseTarget(location, j.target)
	if bad != nil {
		j.end(bad.outcome, "redirected: "+bad.detail)
		return false
	}
	href := to.String()
	if j.hops++; j.hops > limit {
		j.end(RedirectLoop, "more than "+strconv.Itoa(max(limit, 0))+" redirects, the last to "+short(href, 200))
		return false
	}
	if j.seen[href] {
		j.end(RedirectLoop, "redirected again to "+short(href, 200))
		return false
	}
	j.seen[href] = true
	j.target = to
	return true
}

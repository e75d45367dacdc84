package fetch

// When a URL is asked again, and how long to wait before.

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// transient outcomes may be another when asked again. A timeout is none: the URL had its minute.
func transient(o Outcome) bool {
	switch o {
	case Reset, "http_408", "http_429", "http_500", "http_502", "http_503", "http_504":
		return true
	}
	return false
}

// retryAfter reads the header of an answer that came at now: seconds, or a date, which is measured by the server's own
// clock where it says what that is. 0 means that there is none.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseUint(value, 10, 63); err == nil {
		return time.Duration(min(seconds, 365*24*3600)) * time.Second
	} else if strings.Trim(value, "0123456789") == "" {
		return 365 * 24 * time.Hour // more seconds than a number holds
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return min(max(at.Sub(now), 0), 365*24*time.Hour)
}

// backoff is the wait before attempt n+1: base doubled n-1 times, at most 32 base, half of it by chance.
func backoff(base time.Duration, n int) time.Duration {
	d := base << min(n-1, 5)
	return d/2 + time.Duration(rand.Float64()*float64(d))
}

// jitter lengthens a wait a little, so that those who were sent away together do not come back together.
func jitter(d time.Duration) time.Duration {
	return d + time.Duration(rand.Float64()*float64(min(d/10, time.Second)))
}

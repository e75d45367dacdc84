package conformance

// Kind "surt": SURT keys of the Python package surt; an exception of the reference is no key.

import (
	"context"

	"mmc4/crawl/weburl"
)

func init() { register("surt", checkSURT) }

func checkSURT(_ context.Context, _ *Env, c *Case, r *Report) error {
	var golden struct {
		Cases []struct{ URL, SURT string }
	}
	if err := c.Decode(&golden); err != nil {
		return err
	}
	for _, k := range golden.Cases {
		r.Equal(k.URL, weburl.SURT(k.URL), k.SURT)
	}
	return nil
}

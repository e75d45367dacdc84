package conformance

// Kind "urls": references resolved by whatwg-url, part by part.

import (
	"context"
	"strconv"
	"strings"

	"mmc4/crawl/weburl"
)

func init() { register("urls", checkURLs) }

func checkURLs(_ context.Context, _ *Env, c *Case, r *Report) error {
	type parts struct{ Href, Scheme, Host, Port, Path, Query, Fragment string }
	var golden struct {
		Cases []struct {
			Page     string
			BaseHref *string `json:"base_href"`
			Ref      string
			Result   *parts
		}
	}
	if err := c.Decode(&golden); err != nil {
		return err
	}
	for _, k := range golden.Cases {
		label := k.Page + " + " + k.Ref
		base := weburl.NewBase(k.Page, "")
		if k.BaseHref != nil {
			label = k.Page + " + " + *k.BaseHref + " + " + k.Ref
			base = weburl.NewBase(k.Page, *k.BaseHref)
		}
		u, err := base.Parse(k.Ref)
		if err != nil {
			r.Equal(label, (*parts)(nil), k.Result)
			continue
		}
		got := &parts{Href: u.String(), Scheme: u.Scheme, Host: u.Host, Path: u.Path}
		if u.Port >= 0 {
			got.Port = strconv.Itoa(u.Port)
		}
		if u.Query != "" {
			got.Query = "?" + u.Query
		}
		if u.Fragment != "" {
			got.Fragment = "#" + u.Fragment
		}
		if k.Result == nil || *got != *k.Result {
			r.Equal(label, got.Href+" "+strings.Join([]string{got.Scheme, got.Host, got.Port, got.Path, got.Query, got.Fragment}, "|"), k.Result)
			continue
		}
		r.Inner++
	}
	return nil
}

package conformance

// Kind "srcset": images of a srcset by parse-srcset; where a case departs from the standard, the standard is expected: a
// height without a width drops the image, and 0x is a density.

import (
	"context"

	"mmc4/crawl/page"
)

func init() { register("srcset", checkSrcset) }

func checkSrcset(_ context.Context, _ *Env, c *Case, r *Report) error {
	type image struct {
		URL     string
		W, H, D *float64
	}
	var golden struct {
		Cases []struct {
			Text       string
			Candidates []image
			Departs    bool `json:"departs_from_standard"`
		}
	}
	if err := c.Decode(&golden); err != nil {
		return err
	}
	value := func(p *float64) float64 {
		if p == nil {
			return 0
		}
		return *p
	}
	for _, k := range golden.Cases {
		want := []page.SrcsetImage{}
		for _, i := range k.Candidates {
			w := page.SrcsetImage{URL: i.URL, Width: value(i.W), Height: value(i.H), Density: value(i.D), HasDensity: i.D != nil}
			if k.Departs && i.H != nil && i.W == nil {
				continue
			}
			if k.Departs && i.H == nil && i.W == nil && i.D == nil {
				w.HasDensity = true
			}
			want = append(want, w)
		}
		r.Equal(k.Text, append([]page.SrcsetImage{}, page.ParseSrcset(k.Text)...), want)
	}
	return nil
}

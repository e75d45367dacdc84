package conformance

// Kind "wat.links": the pages and image links of WAT files.

import (
	"context"
	"fmt"
	"os"
	"time"

	"mmc4/crawl/wat"
)

func init() { register("wat.links", checkWAT) }

func checkWAT(_ context.Context, _ *Env, c *Case, r *Report) error {
	type image struct{ URL, Alt, Title *string }
	var golden struct {
		Config struct{ File string }
		Cases  []struct {
			Type, Page     string
			CaptureDate    string `json:"capture_date"`
			WATDate        string `json:"wat_date"`
			Filename       string
			Offset, Length int64
			Base           *string
			Images         []image
		}
	}
	if err := c.Decode(&golden); err != nil {
		return err
	}
	f, err := os.Open(c.Path(golden.Config.File))
	if err != nil {
		return err
	}
	defer f.Close()
	i := 0
	for rec, err := range wat.Read(f, golden.Config.File, wat.Options{AllTypes: true, Entities: wat.EntitiesKeep}) {
		if err != nil {
			return err
		}
		if i >= len(golden.Cases) {
			r.Failf("more than %d records", len(golden.Cases))
			break
		}
		want, page, label := golden.Cases[i], rec.Page, fmt.Sprintf("record %d", i)
		i++
		r.Equal(label+" bad", rec.Bad, "")
		r.Equal(label, []any{rec.Type, page.URL, page.Date.Format(time.RFC3339), rec.Date.Format(time.RFC3339), page.Container, page.Offset, page.Length},
			[]any{want.Type, want.Page, want.CaptureDate, want.WATDate, want.Filename, want.Offset, want.Length})
		base := ""
		if want.Base != nil {
			base = *want.Base
		}
		r.Equal(label+" base", page.Base, base)
		r.Equal(label+" has HTML metadata", page.HTML, want.Images != nil)
		var got []image
		for _, link := range page.Links {
			got = append(got, image{link.URL, link.Alt, link.Title})
		}
		r.Equal(label+" images", append([]image{}, got...), append([]image{}, want.Images...))
	}
	r.Equal("records", i, len(golden.Cases))
	return nil
}

package conformance

// Kind "wet": the conversion records of a WET file, which is read by the WARC reader.

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"mmc4/crawl/warc"
)

func init() { register("wet", checkWET) }

func checkWET(_ context.Context, _ *Env, c *Case, r *Report) error {
	type page struct {
		URI, Date, Language string
		Bytes               int
		CodePoints          int `json:"code_points"`
		Lines               int
		SHA256, Begins      string
	}
	var golden struct {
		Config struct{ File string }
		Cases  []page
	}
	if err := c.Decode(&golden); err != nil {
		return err
	}
	f, err := os.Open(c.Path(golden.Config.File))
	if err != nil {
		return err
	}
	defer f.Close()
	w := warc.NewReader(f, golden.Config.File)
	defer w.Close()
	var got []page
	for {
		rec, err := w.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if rec.Type != "conversion" {
			continue
		}
		text, err := rec.Payload()
		if err != nil {
			return err
		}
		sum := sha256.Sum256(text)
		begins := []rune(string(text))
		got = append(got, page{
			URI: rec.TargetURI(), Date: rec.Header.Get("WARC-Date"), Language: rec.Header.Get("WARC-Identified-Content-Language"),
			Bytes: len(text), CodePoints: utf8.RuneCount(text), Lines: strings.Count(string(text), "\n"),
			SHA256: hex.EncodeToString(sum[:]), Begins: string(begins[:min(60, len(begins))]),
		})
	}
	if r.Equal("pages", len(got), len(golden.Cases)) {
		for i, want := range golden.Cases {
			r.Equal(fmt.Sprintf("page %d", i), got[i], want)
		}
	}
	return nil
}

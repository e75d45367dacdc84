package conformance

// Kinds "warc" and "warc.odd": records as warcio and FastWARC read them.

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"mmc4/crawl/warc"
)

func init() {
	register("warc", checkWARC)
	register("warc.odd", checkOddWARC)
}

// warcGolden is a record of warcio; FastWARC's have some of the fields.
type warcGolden struct {
	Offset, Length int64
	Type           string
	Version        string
	Declared       any
	WARC           map[string]string
	HTTPStatus     any    `json:"http_status"`
	HTTPLine       string `json:"http_line"`
	HTTP           [][2]string
	RawLength      int    `json:"raw_length"`
	RawSHA1        string `json:"raw_sha1"`
	ContentLength  int    `json:"content_length"`
	ContentSHA1    string `json:"content_sha1"`
	DigestsOK      *bool  `json:"digests_ok"`
	RawError       string `json:"raw_error"`

	cut bool // the file ends inside it: how many of its last bytes are decoded is up to the decompressor
}

type warcFile struct {
	File     string
	Warcio   []warcGolden
	Fastwarc []warcGolden
}

// readWARC gives every record in the golden's form; Next's final error counts as an end.
func readWARC(path string) ([]warcGolden, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := warc.NewReader(f, path)
	defer r.Close()
	var out []warcGolden
	for {
		rec, err := r.Next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return out, err
		}
		g := warcGolden{Offset: rec.Offset, Length: rec.Length, Type: rec.Type, Version: rec.Version, Declared: rec.Header.Get("Content-Length"), WARC: map[string]string{}, cut: rec.Short}
		for _, f := range rec.Header {
			g.WARC[f.Name] = rec.Header.Get(f.Name)
			if strings.EqualFold(f.Name, "WARC-Target-URI") {
				g.WARC[f.Name] = rec.TargetURI()
			}
		}
		raw := rec.Block
		if m := rec.HTTP(); m != nil {
			raw, g.HTTPLine = m.Body, m.StartLine
			if m.Status != 0 {
				g.HTTPStatus = fmt.Sprint(m.Status)
			}
			for _, f := range m.Header {
				g.HTTP = append(g.HTTP, [2]string{f.Name, f.Value})
			}
		}
		content, _ := rec.Payload()
		g.RawLength, g.RawSHA1 = len(raw), sha1Hex(raw)
		g.ContentLength, g.ContentSHA1 = len(content), sha1Hex(content)
		if v := rec.CheckDigests(); v != warc.Unknown {
			ok := v == warc.Right
			g.DigestsOK = &ok
		}
		out = append(out, g)
	}
}

func sha1Hex(b []byte) string {
	sum := sha1.Sum(b)
	return hex.EncodeToString(sum[:])
}

func checkWARC(_ context.Context, _ *Env, c *Case, r *Report) error {
	var golden struct{ Cases []warcFile }
	if err := c.Decode(&golden); err != nil {
		return err
	}
	for _, k := range golden.Cases {
		got, err := readWARC(c.Path(k.File))
		if err != nil {
			return err
		}
		if !r.Equal(k.File+": records", len(got), len(k.Warcio)) {
			continue
		}
		for i, want := range k.Warcio {
			label := fmt.Sprintf("%s record %d", k.File, i)
			r.Equal(label+" place", [2]int64{got[i].Offset, got[i].Length}, [2]int64{want.Offset, want.Length})
			compareWARC(r, label, got[i], want)
		}
	}
	return nil
}

// compareWARC compares everything but the place.
func compareWARC(r *Report, label string, got, want warcGolden) {
	r.Equal(label+" type, version, length", []any{got.Type, got.Version, got.Declared}, []any{want.Type, want.Version, declared(want.Declared)})
	for name, value := range want.WARC {
		for have, v := range got.WARC {
			if strings.EqualFold(have, name) {
				name, got.WARC[name] = have, v
			}
		}
		r.Equal(label+" "+name, got.WARC[name], value)
	}
	if s, ok := want.HTTPStatus.(string); ok && strings.Trim(s, "0123456789") != "" {
		want.HTTPStatus = nil // warcio takes any word for a status
	}
	r.Equal(label+" http_status", got.HTTPStatus, want.HTTPStatus)
	r.Equal(label+" http_line", strings.Fields(got.HTTPLine), strings.Fields(want.HTTPLine))
	r.Equal(label+" http", append([][2]string{}, got.HTTP...), append([][2]string{}, want.HTTP...))
	if want.RawError == "" && !got.cut { // else warcio gave the body up over its digest
		r.Equal(label+" raw", []any{got.RawLength, got.RawSHA1}, []any{want.RawLength, want.RawSHA1})
		if encodingOf(want) == "" {
			r.Equal(label+" content", []any{got.ContentLength, got.ContentSHA1}, []any{want.ContentLength, want.ContentSHA1})
		}
	}
	r.Equal(label+" digests_ok", verdict(got.DigestsOK), verdict(want.DigestsOK))
}

// encodingOf names the content codings that warcio does not undo.
func encodingOf(g warcGolden) string {
	for _, f := range g.HTTP {
		if strings.EqualFold(f[0], "Content-Encoding") && (f[1] == "x-gzip" || f[1] == "zstd") {
			return f[1]
		}
	}
	return ""
}

func declared(v any) any {
	if v == nil {
		return ""
	}
	return v
}

func verdict(ok *bool) string {
	if ok == nil {
		return "none given"
	}
	return fmt.Sprint(*ok)
}

// checkOddWARC: what both programs read must be there, in order; where one of them gives a record that the other does
// not, either is right. A record that neither gives is right only behind the last that they give (they stop early).
func checkOddWARC(_ context.Context, _ *Env, c *Case, r *Report) error {
	var golden struct{ Cases []warcFile }
	if err := c.Decode(&golden); err != nil {
		return err
	}
	for _, k := range golden.Cases {
		got, _ := readWARC(c.Path(k.File))
		at := 0
		for i, g := range got {
			label := fmt.Sprintf("%s record %d", k.File, i)
			w, f := findWARC(k.Warcio, at, g), findWARC(k.Fastwarc, 0, g)
			switch {
			case w >= 0:
				at = w + 1
				compareWARC(r, label, g, k.Warcio[w])
			case f < 0 && at < len(k.Warcio) && i < len(k.Fastwarc):
				r.Failf("%s (%s at %d, %d bytes) is in neither program's answer", label, g.Type, g.Offset, g.RawLength)
			default:
				r.Inner++
			}
		}
		for i, want := range k.Warcio {
			if findWARC(k.Fastwarc, 0, want) >= 0 {
				r.Equal(fmt.Sprintf("%s: record %d that both programs read is there", k.File, i), findWARC(got, 0, want) >= 0, true)
			}
		}
		r.Equal(k.File+": no fewer records than the programs agree on", len(got) >= min(len(k.Warcio), len(k.Fastwarc)), true)
	}
	return nil
}

// findWARC looks for the same record from list[from] on: type and stored body.
func findWARC(list []warcGolden, from int, g warcGolden) int {
	for i := from; i < len(list); i++ {
		k := list[i]
		same := k.RawSHA1 == g.RawSHA1 || k.Offset == g.Offset && (k.RawError != "" || g.RawError != "" || k.cut || g.cut)
		if k.Type == g.Type && same {
			return i
		}
	}
	return -1
}

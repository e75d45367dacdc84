package report_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"mmc4/internal/storage"
	"mmc4/pipeline"
	"mmc4/pipeline/audit"
	"mmc4/pipeline/internal/smallrun"
	"mmc4/pipeline/report"
	"mmc4/schemas"
)

const hostile = `"><script>alert(1)</script><img src=http://evil.test/x onerror=alert(2)>' ` + "`" + `{{.}}</style><!-- javascript:alert(3)`

// hostileRun has foreign text that tries to get out, wherever foreign text stands.
func hostileRun(t *testing.T) string {
	return smallrun.Write(t, func(w *smallrun.Tables) {
		text := hostile
		for i := range w.Docs {
			d := &w.Docs[i]
			d.TextList[0], d.TextList[1] = text, "مرحبا \u202e right to left"
			d.URL += "?" + text
			for k := range d.ImageInfo {
				d.ImageInfo[k].Alt = &text
				d.ImageInfo[k].RawURL += "#" + text
			}
		}
		for i := range w.Rejects {
			r := &w.Rejects[i]
			if r.ImageURL != nil {
				r.ImageURL = &[]string{*r.ImageURL + text}[0]
			}
			if r.Rule == schemas.RuleFetch || r.Rule == schemas.RuleBadRecord {
				r.Detail = &text
			}
		}
		w.Manifest.Profile.Clip = text
		w.Manifest.Off = append(w.Manifest.Off, text)
	}, nil)
}

func manifest(t *testing.T, dir string) *pipeline.Manifest {
	t.Helper()
	m, err := audit.ReadManifest(t.Context(), storage.NewFolder(dir))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func render(t *testing.T, dir string) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := report.Render(t.Context(), storage.NewFolder(dir), manifest(t, dir), &buf); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestNothingIsLoadedAndNothingGetsOut(t *testing.T) {
	data := render(t, hostileRun(t))
	if len(data) > report.MaxBytes {
		t.Errorf("%d bytes", len(data))
	}
	policy, pictures := false, 0
	tokens := html.NewTokenizer(bytes.NewReader(data))
	var open []string
	void := map[string]bool{"meta": true, "link": true, "img": true, "br": true, "line": true}
	for {
		kind := tokens.Next()
		if kind == html.ErrorToken {
			break
		}
		token := tokens.Token()
		switch kind {
		case html.EndTagToken:
			if n := len(open); n == 0 || open[n-1] != token.Data {
				t.Fatalf("</%s> closes %v", token.Data, open)
			}
			open = open[:len(open)-1]
		case html.StartTagToken:
			if !void[token.Data] {
				open = append(open, token.Data)
			}
		}
		if kind != html.StartTagToken && kind != html.SelfClosingTagToken {
			continue
		}
		switch token.Data {
		case "script", "iframe", "object", "embed", "form", "base":
			t.Errorf("there is a <%s>", token.Data)
		case "img":
			pictures++
		}
		for _, a := range token.Attr {
			switch {
			case strings.HasPrefix(a.Key, "on"):
				t.Errorf("<%s %s=%q>", token.Data, a.Key, a.Val)
			case a.Key == "src" && !strings.HasPrefix(a.Val, "data:image/jpeg;base64,"),
				a.Key == "href" && !strings.HasPrefix(a.Val, "#") && a.Val != "data:,":
				t.Errorf("<%s %s=%q> would be loaded", token.Data, a.Key, a.Val)
			case a.Val == "Content-Security-Policy":
				policy = true
			}
		}
	}
	if len(open) > 0 {
		t.Errorf("%v are not closed", open)
	}
	if !policy || pictures != 12 {
		t.Errorf("policy %v, %d pictures", policy, pictures)
	}
	for _, bad := range []string{"<script", "url(", "@import", "ZgotmplZ"} {
		if bytes.Contains(data, []byte(bad)) {
			t.Errorf("the page contains %q", bad)
		}
	}
}

func TestPageSaysWhatTheRunHolds(t *testing.T) {
	dir := smallrun.Write(t, nil, nil)
	data := string(render(t, dir))
	for _, want := range []string{"min_side", "limit 0.15", "40 px, at least 150", "0.100, at least 0.15", "link rot", "a second one"[2:], "a &lt;picture&gt;",
		"&lt;b&gt;markup&lt;/b&gt;", "no bytes in the run", "pics.test", "c4.json line 3: no JSON"} {
		if !strings.Contains(data, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if again := string(render(t, dir)); again != data {
		t.Error("the same run gave another page")
	}
	m := manifest(t, dir)
	for range 2 { // the second page replaces the first, in the manifest too
		out, err := report.Write(t.Context(), storage.NewFolder(dir), m)
		if err != nil {
			t.Fatal(err)
		}
		m.Put(out)
		if err := m.Write(t.Context(), storage.NewFolder(dir)); err != nil {
			t.Fatal(err)
		}
		if written, err := os.ReadFile(filepath.Join(dir, report.Name)); err != nil || string(written) != data {
			t.Error("Write gave another page", err)
		}
	}
	if v, err := audit.Verify(t.Context(), storage.NewFolder(dir), audit.Options{}); err != nil || !v.OK {
		t.Error("a run with a report does not verify", err, v)
	}
}

func TestEmptyRun(t *testing.T) {
	data := render(t, smallrun.Write(t, func(w *smallrun.Tables) { w.Docs, w.Rejects, w.Images = nil, nil, nil }, nil))
	if !bytes.Contains(data, []byte("The run has no document.")) {
		t.Error("an empty run is not said to be empty")
	}
}

package page

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

func show(list []found) string {
	var b strings.Builder
	for _, f := range list {
		alt := "-"
		if f.alt != nil {
			alt = *f.alt
		}
		fmt.Fprintf(&b, "%s %q %q\n", f.attr, f.raw, alt)
	}
	return b.String()
}

var soup = []string{
	`<img src=a.jpg alt="x&amp;y"><img SRC='b.jpg' src=c.jpg>`,
	`<table><img src=1><tr><td><img src=2><table><tr><td><img src=3></table></td><img src=4></table><img src=5>`,
	`<table><caption><img src=1></caption><tr><td><img src=2></tr><td><img src=3></tbody><img src=4>`,
	`<table><thead><tr><td></tbody><img src=1></thead><img src=2></table>`,
	`<select><img src=1><option><img src=2></select><img src=3>`,
	`<svg><image href=x /><title>t</title><img src=1></svg><img src=2>`,
	`<svg><path d="M0"/><g><rect></g></svg><img src=1>`,
	`<div><svg></div><image src=1>`,
	`<math><mi><img src=1></mi></math><img src=2>`,
	`<template><img src=1></template><img src=2>`,
	`<frameset><img src=1></frameset>`,
	`<script><!-- <script> </script> <img src=1> --></script><img src=2>`,
	`<script>"<img src=1>"</script><style><img src=2></style><textarea><img src=3></textarea><title><img src=4></title><xmp><img src=5></xmp><img src=6>`,
	`<noscript><img src=1></noscript><head><noscript><img src=2></noscript></head><iframe><img src=3></iframe>`,
	`<!-- <img src=1> --!><img src=2><!--> <img src=3><!---> <img src=4> <!-- --- > <img src=5> ---><img src=6>`,
	`<?php <img src=1> ?><!doctype html><![CDATA[<img src=2>]]></ x><img src=3></><img src=4></3><img src=5>`,
	`<img/src=1/alt=2><img src = "3" alt><img src=4"x"><img =src=5 src=6><img src=`, `<img src="7`, `<image src=8><IMG src=9 / >`,
	`<base href=a><base href=b><img srcset="a 1x, b 2x" data-src=c data-srcset="d 3w,e 4w" data-lazy=f data-original=g data-lazy-src=h>`,
	`<picture><source srcset="a, b 2x"><source><img src=c></picture>`,
	`<meta charset=utf-8><meta http-equiv=content-type content="text/html; charset=koi8-r">`,
	`</body></html><img src=1><p><a><b><img src=2></a><p><img src=3></b>`,
	`<a><table><a><tr><td><img src=1></a></td></tr></table><img src=2>`,
	`<plaintext><img src=1>`, `<table><tr><td><plaintext></table><img src=1>`, `<svg><style><img src=1></style></svg>`, `<svg><script>//</script><a></a></svg><img src=1>`,
	`<table><td><select><tr><img src=1>`, `<table><form><input type=hidden><tr><td><form><img src=1></table>`, `<table><colgroup><col><img src=1></colgroup><tr><td><img src=2>`,
	`<html><body><table><tr><td><object><td><img src=1></object></table>`, `<button><table><td></button><img src=1></table>`, `<svg><desc>x</desc><foreignObject><p><img src=1></p></foreignObject></svg>`,
}

func agree(t *testing.T, text string) (fast bool) {
	t.Helper()
	data := as([]byte(text), "utf-8")
	for _, sel := range []Selection{Src, All} {
		base, list, _, ok := scan(data, sel, nil)
		if !ok {
			continue
		}
		fast = true
		wantBase, want, err := walk(data, sel)
		if err != nil {
			continue
		}
		if base != wantBase || !reflect.DeepEqual(list, want) && show(list) != show(want) {
			t.Fatalf("%q:\nscan: base %q\n%swalk: base %q\n%s", text, base, show(list), wantBase, show(want))
		}
	}
	return fast
}

func TestScanEqualsTree(t *testing.T) {
	for i, a := range soup {
		agree(t, a)
		for _, b := range soup[i:] {
			agree(t, a+b)
			agree(t, b+a)
		}
	}
}

func FuzzScan(f *testing.F) {
	for _, text := range soup {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { agree(t, text) })
}

// randomSoup strings tags together at random.
func randomSoup(r *rand.Rand) string {
	names := []string{"img", "img", "img", "image", "source", "base", "meta", "link", "template", "frameset", "table", "table", "tr", "td", "td", "th", "tbody", "thead", "tfoot", "caption", "col", "colgroup", "select", "option",
		"svg", "math", "title", "desc", "g", "a", "b", "p", "div", "form", "input", "button", "object", "script", "style", "textarea", "noscript", "iframe", "body", "head", "html", "li", "ul", "br", "font", "nobr", "h1", "mi"}
	var b strings.Builder
	for n := range 3 + r.IntN(14) {
		name := names[r.IntN(len(names))]
		switch r.IntN(12) {
		case 0, 1, 2:
			fmt.Fprintf(&b, "</%s>", name)
		case 3:
			fmt.Fprintf(&b, "<%s src=%d href=%d />", name, n, n)
		case 4:
			b.WriteString([]string{"text", "<!--x-->", "<!--", "-->", "<", "</", "<![CDATA[", "]]>", "<?", " ", "\x00", "&amp;", "<script>", "</script>"}[r.IntN(14)])
		default:
			fmt.Fprintf(&b, `<%s src="%d" href='%d' srcset="%d">`, name, n, n, n)
		}
	}
	return b.String()
}

func TestRandomSoup(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	fast := 0
	const n = 10000
	for range n {
		if agree(t, randomSoup(r)) {
			fast++
		}
	}
	if fast < n/2 { // else scan is right because it never answers
		t.Errorf("only %d of %d pages needed no tree", fast, n)
	}
}

func TestTreeTooDeep(t *testing.T) {
	page := strings.Repeat("<div>", 600) + "<table><img src=1></table><img src=2>"
	got := FromHTML("http://a.test/", "", []byte(page), Src)
	if len(got) != 2 || got[0].URL != "http://a.test/1" || got[1].URL != "http://a.test/2" {
		t.Errorf("got %+v", got)
	}
}

func TestEncodings(t *testing.T) {
	const late = "<!--" + "%s" + "-->"
	filler := strings.Repeat("x", 1100)
	for _, c := range []struct{ contentType, body, alt string }{
		{"text/html; charset=utf-8", "<img src=a alt='\xc3\xa9'>", "é"},
		{"text/html; CHARSET = \"ISO-8859-1\"", "<img src=a alt='\xe9\x80'>", "é€"},
		{"text/html", "<img src=a alt='\xe9'>", "é"},
		{"text/html; charset=nonsense", "<meta charset=koi8-r><img src=a alt='\xc1'>", "а"},
		{"text/html; charset=koi8-r", "\xef\xbb\xbf<img src=a alt='\xc3\xa9'>", "é"},
		{"", "<meta http-equiv=Content-Type content='text/html;charset=shift_jis'><img src=a alt='\x83\x65'>", "テ"},
		{"", "<meta content='text/html;charset=shift_jis'><img src=a alt='\xe9'>", "é"},
		{"", "<!-- <meta charset=koi8-r> --><meta charset=utf-16><img src=a alt='\xc3\xa9'>", "é"},
		{"", fmt.Sprintf(late, filler) + "<meta charset=utf-8><img src=a alt='\xc3\xa9'>", "é"},
		{"", fmt.Sprintf(late, filler) + "<meta charset=nonsense><meta charset=koi8-r><meta charset=utf-8><img src=a alt='\xc1'>", "а"},
		{"text/html; charset=utf-8", "<img src=a alt='\xe9x\xe3\x81'>", "\ufffdx\ufffd"},
		{"text/html; charset=utf-8", "<img src=a alt='\x00\xc3\xa9'>", "\ufffdé"},
		{"text/html; charset=utf-16le", "<\x00i\x00m\x00g\x00 \x00s\x00r\x00c\x00=\x00a\x00 \x00a\x00l\x00t\x00=\x00\xe9\x00>\x00", "é"},
		{"text/html; charset=gbk", "<img src=a alt='\xc4\xe3&amp;'>", "你&"},
	} {
		got := FromHTML("http://a.test/", c.contentType, []byte(c.body), Src)
		if len(got) != 1 || got[0].Alt == nil || *got[0].Alt != c.alt {
			t.Errorf("%q %.80q: got %+v, want alt %q", c.contentType, c.body, got, c.alt)
		}
	}
}

// The view on undecoded bytes gives what the decoded page gives, whatever the bytes.
func FuzzFromHTML(f *testing.F) {
	f.Add([]byte("<meta charset=utf-8><img src=\xff alt=\xc3\xa9>"), "text/html; charset=windows-1252")
	f.Add([]byte("\xef\xbb\xbf<base href=x><img srcset='a 1x'>"), "text/html; charset=x")
	f.Add([]byte("<img src='\x83\x5c' alt=\x00>"), "text/html; charset=shift_jis")
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		FromHTML("http://a.test/", contentType, body, All)
		doc := determine(body, contentType)
		text, value := doc.view()
		base, list, late, ok := scan(text, All, value)
		wantBase, want, wantLate, wantOK := scan(doc.text(), All, nil)
		if base != wantBase || late != wantLate || ok != wantOK || !reflect.DeepEqual(list, want) {
			t.Fatalf("%q as %s: %q %s, want %q %s", body, doc.label, base, show(list), wantBase, show(want))
		}
	})
}

func FuzzSrcset(f *testing.F) {
	f.Add("a.jpg 1x, b.jpg 200w 3h, (c d), e")
	f.Fuzz(func(t *testing.T, s string) {
		for _, image := range ParseSrcset(s) {
			if image.URL == "" || strings.ContainsAny(image.URL, htmlSpace) {
				t.Fatalf("%q gives %+v", s, image)
			}
		}
	})
}

package weburl

import (
	"strings"
	"testing"
)

func TestResolve(t *testing.T) {
	for _, c := range []struct{ page, base, ref, href, why string }{
		{"http://a.test/b/c.html", "", "d.jpg", "http://a.test/b/d.jpg", ""},
		{"http://a.test/b/c.html", "/img/", "d.jpg", "http://a.test/img/d.jpg", ""},
		{"http://a.test/b/c.html", "http://", "d.jpg", "http://a.test/b/d.jpg", ""},
		{"http://a.test/", "", " \t\n", "", WhyEmpty},
		{"http://a.test/", "", "", "", WhyEmpty},
		{"http://a.test/", "", "DATA:image/png,x", "", WhyData},
		{"http://a.test/", "", "javascript:x", "", WhyScheme},
		{"http://a.test/", "", "http://[x/", "", WhyInvalid},
		{"not a url", "", "x.jpg", "", WhyInvalid},
		{"not a url", "", "http://a.test/x.jpg", "http://a.test/x.jpg", ""},
		{"https://a.test/", "", `\\b.test\x y.jpg#f`, "https://b.test/x%20y.jpg#f", ""},
	} {
		href, why := Resolve(c.page, c.base, c.ref)
		if href != c.href || why != c.why {
			t.Errorf("Resolve(%q, %q, %q) = %q, %q; want %q, %q", c.page, c.base, c.ref, href, why, c.href, c.why)
		}
	}
}

func TestStripFragment(t *testing.T) {
	for in, want := range map[string]string{"http://a/#b#c": "http://a/", "http://a/": "http://a/", "": ""} {
		if got := StripFragment(in); got != want {
			t.Errorf("StripFragment(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestSURTCorners(t *testing.T) {
	for in, want := range map[string]string{
		"":                                  "-",
		"http://a.test:99999/":              "",
		"http://a.test:0/x":                 "test,a)/x",
		"http://a.test/%2e%2e/x":            "test,a)/../x",
		"http://a.test/../../x":             "test,a)/x",
		"http://a.test/x?b?a&c":             "test,a)/x?b?a&c",
		"http://1.65536/":                   "0,0,1,1)/",
		"http:///a.test/x":                  "test,a)/x",
		"JavaScript:X":                      "JavaScript:x",
		"http://a.test/x%23y?%26":           "test,a)/x%23y?&",
		"http://bücher.test/ä":              "test,xn--bcher-kva)/%c3%a4",
		"http://ä..test/":                   "test,%c3%a4)/",
		"http://http://a.test/":             "test,a)/",
		"http://a.test/?a=2&a=10&a&a-=1":    "test,a)/?a&a=10&a=2&a-=1",
		"http://a.test:/x":                  "test,a)/x",
		"https://user:pw@www3.a.test:443/#": "test,a)/",
	} {
		if got := SURT(in); got != want {
			t.Errorf("SURT(%q) = %q, want %q", in, got, want)
		}
	}
}

// What parses must serialise to something that parses to itself.
// TestLongPath would copy 10^11 bytes if every ".." copied what is before it.
func TestLongPath(t *testing.T) {
	const n = 1 << 20
	u, err := Parse("http://a.test/x/"+strings.Repeat("a/", n)+strings.Repeat("../", n), nil)
	if err != nil || u.Path != "/x/" {
		t.Errorf("%v, %.100q", err, u.Path)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"http://a.test/x?y#z", "//b", "file:c|/x", "http://[::1]:8", "mailto:x ?y", "\xff", "http://0x7f.1/%zz", "http://bücher.de"} {
		f.Add(s, "http://h.test/p/q")
	}
	f.Fuzz(func(t *testing.T, s, page string) {
		u, err := NewBase(page, "").Parse(s)
		if err != nil {
			return
		}
		href := u.String()
		again, err := Parse(href, nil)
		if err != nil || again.String() != href {
			t.Errorf("%q against %q gives %q, which parses to %v, %v", s, page, href, again, err)
		}
	})
}

func FuzzSURT(f *testing.F) {
	for _, s := range []string{"http://www.a.test/b?c=d&a", "a.test", "http://[::1]:80/", "%%%", "http://a/(s(0123456789abcdefghijklmn))/x.aspx", "http://a/?sid=0123456789abcdef0123456789abcdef"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if key := SURT(s); strings.ContainsAny(key, "\t\n\r") && !strings.HasPrefix(s, "filedesc") {
			t.Errorf("SURT(%q) = %q has white space", s, key)
		}
	})
}

func BenchmarkResolve(b *testing.B) {
	base := NewBase("http://www.example.test/a/b/c.html", "")
	for b.Loop() {
		base.Resolve("../images/picture-01.jpg?w=300")
	}
}

func BenchmarkSURT(b *testing.B) {
	for b.Loop() {
		SURT("http://www.example.test/a/b/c.html?x=1&a=2")
	}
}

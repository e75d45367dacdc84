package robots

import (
	"strings"
	"testing"
	"time"
)

func TestAllowed(t *testing.T) {
	for _, c := range []struct {
		text, agent, target string
		want                bool
	}{
		// RFC 9309 where the reference programs of the goldens differ.
		{"User-agent: *\nDisallow: /", "mmc4", "/robots.txt", true},
		{"User-agent: *\nDisallow: /*?", "mmc4", "/camera?", false},
		{"User-agent: picbot\nAllow: /\n\nUser-agent: *\nDisallow: /", "picbotX", "/x", false},
		{"User-agent: picbot\nAllow: /\n\nUser-agent: *\nDisallow: /", "Mozilla/5.0 (compatible; picbot/2.1)", "/x", true},
		{"User-agent: picbot/2.0\nDisallow: /x", "picbot", "/x", false},
		{"\xef\xbb\xbfUser-agent: *\nDisallow: /x", "mmc4", "/x", false},
		{"User-agent: *\nDisallow: /%7Ex", "mmc4", "/~x", false},
		{"User-agent: *\nDisallow: /x/%2a", "mmc4", "/x/*", false},
		{"User-agent: *\nDisallow: /x/%24", "mmc4", "/x/$", false},
		{"User-agent: *\nDisallow: /a/../b", "mmc4", "/a/../b", false},
		{"User-agent: a\nSitemap: http://x/\nUser-agent: b\nDisallow: /x", "a", "/x", false},
		// The owner's plain meaning.
		{"User-agent *\nDisallow /x", "mmc4", "/x", false},
		{"User-agent: *\nDisalow: /x", "mmc4", "/x", false},
		// The longest wins, Allow wins a tie, groups of one name are one.
		{"User-agent: *\nDisallow: /a\nAllow: /a/b", "mmc4", "/a/b", true},
		{"User-agent: *\nAllow: /a\nDisallow: /a", "mmc4", "/a", true},
		{"User-agent: MMC4\nDisallow: /a\n\nUser-agent: x\nDisallow: /\n\nUser-agent: mmc4\nDisallow: /b", "mmc4", "/b", false},
		{"User-agent: mmc4\nAllow: /\nUser-agent: *\nDisallow: /", "mmc4", "/x", true},
		{"User-agent: mmc4\n\nUser-agent: *\nDisallow: /", "mmc4", "/x", false},
		{"User-agent: mmc4\nDisallow:\n\nUser-agent: *\nDisallow: /", "mmc4", "/x", true},
		{"User-agent: mmc\nDisallow: /", "mmc4", "/x", true},
		{"User-agent: *\nDisallow: /*.jpg$", "mmc4", "/a.jpg.jpg", false},
		{"User-agent: *\nDisallow: /*.jpg$", "mmc4", "/a.jpg?", true},
		{"User-agent: *\nDisallow: /a*$", "mmc4", "/abc", false},
		{"User-agent: *\nDisallow: /a*b*b$", "mmc4", "/ab", true},
		{"User-agent: *\nDisallow: /", "mmc4", "", false},
		{"", "mmc4", "/", true},
	} {
		if got := Parse([]byte(c.text), c.agent).Allowed(c.target); got != c.want {
			t.Errorf("%q: %s asks for %s: %v", c.text, c.agent, c.target, got)
		}
	}
}

func TestCrawlDelay(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"User-agent: *\nCrawl-delay: 2":                                 2 * time.Second,
		"User-agent: *\nCrawl-delay: 0.5":                               time.Second / 2,
		"User-agent: mmc4\nDisallow:\n\nUser-agent: *\nCrawl-delay: 2":  0,
		"User-agent: *\nCrawl-delay: -2":                                0,
		"User-agent: *\nCrawl-delay: NaN":                               0,
		"User-agent: *\nCrawl-delay: 1e300":                             0,
		"Crawl-delay: 3":                                                0,
		"User-agent: *\nCrawl-delay: 1\nCrawl-delay: 4\nCrawl-delay: x": 4 * time.Second,
	} {
		if got := Parse([]byte(text), "mmc4").CrawlDelay(); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("User-agent: *\nDisallow: /a*b$\nAllow: /%7e\nCrawl-delay: 1"), "/axb")
	f.Add([]byte("\xef\xbb\xbfuser-agent mmc4\rdisallow /%zz#c"), "/%zz?x")
	f.Fuzz(func(t *testing.T, text []byte, target string) {
		r := Parse(text, "mmc4")
		got := r.Allowed(target)
		if r.CrawlDelay() < 0 || r.Size() <= 0 {
			t.Error("negative")
		}
		if len(r.rules) == 0 && !got {
			t.Error("disallowed without a rule")
		}
		if n := normalise(target); normalise(n) != n {
			t.Errorf("%q: %q, then %q", target, n, normalise(n))
		}
		for i := range r.rules {
			if k := &r.rules[i]; k.match(normalise(target)) != naive(k, normalise(target)) {
				t.Errorf("pattern %q against %q", strings.Join(k.parts, "*"), target)
			}
		}
	})
}

// naive matches by trying everything.
func naive(r *rule, s string) bool {
	pattern := strings.Join(r.parts, "*")
	if !r.end {
		pattern += "*"
	}
	if strings.Count(pattern, "*") > 3 || len(s) > 40 {
		return r.match(s)
	}
	var match func(p, s string) bool
	match = func(p, s string) bool {
		for ; p != "" && p[0] != '*'; p, s = p[1:], s[1:] {
			if s == "" || s[0] != p[0] {
				return false
			}
		}
		if p == "" {
			return s == ""
		}
		for i := 0; i <= len(s); i++ {
			if match(p[1:], s[i:]) {
				return true
			}
		}
		return false
	}
	return match(pattern, s)
}

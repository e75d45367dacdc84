package fetch

// The small parsers: ConnectTo, Retry-After, X-Robots-Tag, addresses, signatures, the spill file.

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestParseConnectTo(t *testing.T) {
	for in, want := range map[string]ConnectRule{
		"*.test:80:127.0.0.1:8800":     {"*.test", "80", "127.0.0.1", "8800"},
		"A.example:443:b.example:8443": {"a.example", "443", "b.example", "8443"},
		":::":                          {},
		"::localhost:":                 {"", "", "localhost", ""},
		"[2001:db8::1]:80:[::1]:8080":  {"[2001:db8::1]", "80", "[::1]", "8080"},
		"*:80::81":                     {"*", "80", "", "81"},
	} {
		if got, err := ParseConnectTo(in); err != nil || got != want {
			t.Errorf("%s: %+v, %v", in, got, err)
		}
	}
	for _, bad := range []string{"", "a:80", "a:80:b", "a:80:b:81:c", "a:x:b:81", "a:0:b:81", "a:80:b:65536", "[::1:80:b:81", "[x]:80:b:81", "[::1]x:80:b:81", "a:80:*:81", "::1:80:b:81"} {
		if got, err := ParseConnectTo(bad); err == nil {
			t.Errorf("%q: %+v", bad, got)
		} else if !strings.Contains(err.Error(), "HOST:PORT:ADDR:PORT") {
			t.Errorf("%q: %v does not say what it must be", bad, err)
		}
	}
}

func TestConnectRule(t *testing.T) {
	for _, c := range []struct {
		rule, host, port string
		match            bool
	}{
		{"*.test:80:x:1", "a.test", "80", true}, {"*.test:80:x:1", "a.b.test", "80", true}, {"*.test:80:x:1", "test", "80", false},
		{"*.test:80:x:1", "a.test", "443", false}, {"*.test:80:x:1", "a.test.evil", "80", false}, {"*.test:80:x:1", "127.0.0.1", "80", false},
		{"a*b*c:80:x:1", "abc", "80", true}, {"a*b*c:80:x:1", "aXbYbZc", "80", true}, {"a*b*c:80:x:1", "ac", "80", false}, {"a*a:80:x:1", "a", "80", false},
		{":80:x:1", "any", "80", true}, {"a::x:1", "a", "7", true}, {"[::1]:80:x:1", "[::1]", "80", true},
	} {
		r, err := ParseConnectTo(c.rule)
		if err != nil || r.match(c.host, c.port) != c.match {
			t.Errorf("%s for %s:%s: %v, %v", c.rule, c.host, c.port, !c.match, err)
		}
	}
	for rule, names := range map[string]bool{"a:::81": true, "*:80::81": false, ":80::81": false, "*:80:x:81": true} {
		if r, _ := ParseConnectTo(rule); r.names() != names {
			t.Errorf("%s: %v", rule, !names)
		}
	}
}

func TestRetryAfterHeader(t *testing.T) {
	now := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		value, date string
		want        time.Duration
	}{
		{"", "", 0}, {"1", "", time.Second}, {" 120 ", "", 2 * time.Minute}, {"-1", "", 0}, {"soon", "", 0}, {"1.5", "", 0},
		{"86400", "", 24 * time.Hour}, {"99999999999999999999999", "", 365 * 24 * time.Hour}, {"9223372036854775807", "", 365 * 24 * time.Hour},
		{"Tue, 01 Jan 2030 12:00:05 GMT", "", 5 * time.Second},
		{"Tue, 01 Jan 2030 11:00:00 GMT", "", 0},
		{"Tuesday, 01-Jan-30 12:00:05 GMT", "", 5 * time.Second},
		{"Tue, 01 Jan 2030 15:00:09 GMT", "Tue, 01 Jan 2030 15:00:02 GMT", 7 * time.Second},
	} {
		h := http.Header{}
		h.Set("Retry-After", c.value)
		h.Set("Date", c.date)
		if got := retryAfter(h, now); got != c.want {
			t.Errorf("%q: %v, want %v", c.value, got, c.want)
		}
	}
}

func TestBackoff(t *testing.T) {
	for n := 1; n < 40; n++ {
		low, high := time.Second/2<<min(n-1, 5), 3*time.Second/2<<min(n-1, 5)
		for range 50 {
			if d := backoff(time.Second, n); d < low || d > high {
				t.Errorf("before attempt %d: %v", n+1, d)
			}
		}
	}
	if d := jitter(time.Minute); d < time.Minute || d > 61*time.Second {
		t.Errorf("jitter: %v", d)
	}
}

func TestOptOut(t *testing.T) {
	for value, want := range map[string]string{
		"": "", "noai": "noai", " NoAI ": "noai", "NOIMAGEAI, nofollow": "noimageai", "nofollow, noindex": "noindex", "noimageindex": "noimageindex",
		"none": "none", "noml": "noml", "all": "", "nofollow": "", "noaix": "", "max-snippet:20, noai": "noai", "max-image-preview: large": "",
		"unavailable_after: 25 Jun 2099 15:00:00 PST": "", "unavailable_after: 25 Jun 2099 15:00:00 PST, noai": "noai",
		"mmc4: noai": "noai", "MMC4: noai": "noai", "mmc4/1.0: noai": "noai", "*: noai": "noai", "otherbot: noai": "", "otherbot: nofollow, noai": "",
		"otherbot: noai, mmc4: noindex": "noindex", "mmc4: nofollow, otherbot: noai": "", "mmc4:noai": "noai", "mmc4: max-snippet: 3, noai": "noai",
		"otherbot: mmc4: noai": "noai", ":": "", ",,": "", "mmc4:": "",
	} {
		if got := robotsTag(value, "mmc4"); got != want {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
	if optOut(http.Header{"Tdm-Reservation": {"0"}}) != "" || optOut(http.Header{"Tdm-Reservation": {" 1 "}}) == "" ||
		optOut(http.Header{"X-Robots-Tag": {"nofollow", "noai"}}) == "" {
		t.Error("headers")
	}
}

func TestPublic(t *testing.T) {
	for s, want := range map[string]bool{
		"93.184.216.34": true, "8.8.8.8": true, "172.15.0.1": true, "172.32.0.1": true, "100.63.255.255": true, "100.128.0.1": true, "192.0.1.1": true,
		"2606:2800:220:1::1": true, "2001:4860:4860::8888": true, "64:ff9b::808:808": true, "::ffff:8.8.8.8": true, "2002:808:808::1": true,
		"0.0.0.0": false, "0.1.2.3": false, "10.0.0.1": false, "100.64.0.1": false, "127.0.0.1": false, "127.255.255.254": false, "169.254.169.254": false,
		"172.16.0.1": false, "172.31.255.255": false, "192.168.1.1": false, "192.0.0.1": false, "192.0.2.1": false, "198.18.0.1": false, "224.0.0.1": false,
		"240.0.0.1": false, "255.255.255.255": false, "::": false, "::1": false, "::127.0.0.1": false, "::ffff:127.0.0.1": false, "::ffff:0:7f00:1": false,
		"64:ff9b::7f00:1": false, "64:ff9b::a9fe:a9fe": false, "64:ff9b:1::808:808": false, "2002:7f00:1::": false, "2001::1": false, "2001:db8::1": false,
		"fc00::1": false, "fd00:ec2::254": false, "fe80::1": false, "fe80::1%eth0": false, "fec0::1": false, "ff02::1": false, "100::1": false,
		"2001:4860:4860::8888%x": false,
	} {
		if got := public(netip.MustParseAddr(s)); got != want {
			t.Errorf("%s: %v", s, got)
		}
	}
	if public(netip.Addr{}) {
		t.Error("no address is public")
	}
	for name, want := range map[string]bool{"example.org": true, "localhost.example": true, "localhost": false, "a.localhost": false, "localhost.": false, "x.local": false, "x.internal": false, "[::1]": false, "[2606:2800:220:1::1]": true} {
		if publicName(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}

func TestSniff(t *testing.T) {
	for head, want := range map[string]string{
		"\x89PNG\r\n\x1a\n": "image/png", "\xff\xd8\xff\xe0": "image/jpeg", "GIF89a...": "image/gif", "RIFF\x00\x00\x00\x00WEBPVP8 ": "image/webp",
		"RIFF\x00\x00\x00\x00WAVE": "", "\x00\x00\x00\x1cftypavif\x00\x00\x00\x00": "image/avif", "\x00\x00\x00\x1cftypmp42\x00\x00\x00\x00isom": "",
		"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00heic": "image/heic", "<svg xmlns": "", "<!DOCTYPE html>": "", "%PDF-1.7": "", "": "", "\x89PN": "", "P6\n1 1\n": "image/x-portable-anymap",
		"P6x": "", "\x00\x00\x00\x00\x00\x00\x00\x00": "", "ftyp": "",
	} {
		if got := sniff([]byte(head)); got != want {
			t.Errorf("%q: %q, want %q", head, got, want)
		}
	}
}

func TestSpill(t *testing.T) {
	s := spill{dir: t.TempDir()}
	var blocks []block
	var want [][]string
	for i := range 5 {
		urls := []string{fmt.Sprint("http://a/", i), strings.Repeat("x", 300*i), "line\nbreak"}
		b, err := s.write(urls)
		if err != nil {
			t.Fatal(err)
		}
		blocks, want = append(blocks, b), append(want, urls)
	}
	for i := len(blocks) - 1; i >= 0; i-- {
		if got, err := s.read(blocks[i]); err != nil || !reflect.DeepEqual(got, want[i]) {
			t.Errorf("block %d: %q, %v", i, got, err)
		}
	}
	if _, err := s.read(block{1, 20}); err == nil {
		t.Error("a wrong block is read")
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(s.dir); len(left) != 0 {
		t.Error("the file is left")
	}
	s = spill{dir: "/nowhere/at/all"}
	if _, err := s.write([]string{"x"}); err == nil || !strings.Contains(err.Error(), "/nowhere") {
		t.Error(err)
	}
}

func TestOptions(t *testing.T) {
	for _, o := range []Options{
		{PerHost: -1}, {TotalTimeout: -1}, {Contact: "a\r\nX: y"}, {Contact: "(me)"}, {Contact: "mé@example.org"},
		{Proxy: &url.URL{Scheme: "ftp", Host: "x"}}, {Proxy: &url.URL{Scheme: "http"}},
	} {
		if f, err := New(o); err == nil {
			f.Close()
			t.Errorf("%+v is taken", o)
		}
	}
	for contact, want := range map[string]string{"": "mmc4/dev", "me@example.org": "mmc4/dev (+me@example.org)", "https://example.org/@me": "mmc4/dev (+https://example.org/@me)"} {
		o := Options{Contact: contact}
		if err := o.setDefaults(); err != nil || o.UserAgent() != want {
			t.Errorf("%s: %s, %v", contact, o.UserAgent(), err)
		}
		if strings.HasPrefix(o.from(), "http") {
			t.Error(o.from())
		}
	}
}

func FuzzConnectTo(f *testing.F) {
	for _, s := range []string{"*.test:80:127.0.0.1:8800", "[::1]:80:[::1]:1", ":::", "a*b:1::2"} {
		f.Add(s, "a.test")
	}
	f.Fuzz(func(t *testing.T, s, host string) {
		r, err := ParseConnectTo(s)
		if err != nil {
			return
		}
		r.match(host, "80")
		if again, err := ParseConnectTo(strings.Join([]string{r.Host, r.Port, r.Addr, r.AddrPort}, ":")); err != nil || again != r {
			t.Errorf("%q: %+v, then %+v, %v", s, r, again, err)
		}
	})
}

func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"1", "Tue, 01 Jan 2030 12:00:05 GMT", "-5", "99999999999999999999"} {
		f.Add(s, "")
	}
	f.Fuzz(func(t *testing.T, value, date string) {
		d := retryAfter(http.Header{"Retry-After": {value}, "Date": {date}}, time.Now())
		if d < 0 || d > 365*24*time.Hour {
			t.Errorf("%q: %v", value, d)
		}
	})
}

func FuzzXRobotsTag(f *testing.F) {
	for _, s := range []string{"noai", "mmc4: noai, other: noindex", "unavailable_after: x, y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if d := robotsTag(line, "mmc4"); d != "" && !strings.Contains(strings.ToLower(line), d) {
			t.Errorf("%q: %q", line, d)
		}
	})
}

// FuzzTarget checks that every URL we would ask for goes to its own host, with a request line that is one line.
func FuzzTarget(f *testing.F) {
	for _, s := range []string{"http://a.test/x?y#z", "//b/c", "\\\\h\\p", "http://[::1]:80/", "/a b\r\nX: y", "http://a//b|?%zz"} {
		f.Add(s, false)
	}
	base, _ := parseTarget("http://base.test/dir/page", nil)
	f.Fuzz(func(t *testing.T, ref string, proxied bool) {
		u, bad := parseTarget(ref, base)
		if bad != nil {
			return
		}
		r := requestURL(u, proxied)
		if r.Host != authority(u) || strings.ContainsAny(r.RequestURI(), " \r\n\x00") || r.RequestURI() == "" {
			t.Errorf("%q: host %q, asks for %q", ref, r.Host, r.RequestURI())
		}
	})
}

package dedup

import (
	"math"
	"testing"
)

func rule(r *Rejection) string {
	if r == nil {
		return ""
	}
	return r.Rule
}

func TestURLRules(t *testing.T) {
	for _, c := range []struct{ url, rule, detail string }{
		{"http://a.test/x.png", "", ""},
		{"http://a.test/x.PNG", "", ""},
		{"https://a.test/x.jpeg?size=1", "", ""},
		{"http://a.test/x.%6apg", "", ""},
		{"http://a.test/x.gif", Extension, "gif"},
		{"http://a.test/x", Extension, ""},
		{"http://a.test/x.png/", Extension, ""},
		{"http://a.test/x.png/y", Extension, ""},
		{"http://a.png", Extension, ""},
		{"http://a.png/", Extension, ""},
		{"http://a.test/x?file=y.png", Extension, ""},
		{"http://a.test/x.php?u=/y.png", Extension, "php"},
		{"http://a.test/x.png%", Extension, "png%"},
		{"http://a.test/a%2Fx.png", "", ""},
		{"http://a.test/x%2ejpg", "", ""},
		{"http://a.test/png", Extension, ""},
		{"http://a.test/.png", "", ""},
		{"http://a.test/logo.png", URLToken, "logo"},
		{"http://a.test/Logo.png", "", ""},
		{"http://icons.test/x.png", URLToken, "icon"},
		{"http://a.test/x.png?from=widget", URLToken, "widget"},
		{"http://a.test/%6Cogo.png", "", ""},
		{"http://a.test/logo.gif", Extension, "gif"},
		{"", Extension, ""},
	} {
		got := MMC4().URL(c.url)
		if rule(got) != c.rule {
			t.Errorf("%q: %q, want %q", c.url, rule(got), c.rule)
		} else if got != nil && got.Detail != c.detail {
			t.Errorf("%q: detail %q, want %q", c.url, got.Detail, c.detail)
		}
	}
}

func TestMeasuredRules(t *testing.T) {
	p := MMC4()
	for _, c := range []struct {
		what         string
		got          *Rejection
		rule         string
		value, limit float64
	}{
		{"150 x 150", p.Size(150, 150), "", 0, 0},
		{"149 x 300", p.Size(149, 300), MinSide, 149, 150},
		{"1000 x 149", p.Size(1000, 149), MinSide, 149, 150},
		{"300 x 150", p.Size(300, 150), "", 0, 0},
		{"150 x 300", p.Size(150, 300), "", 0, 0},
		{"301 x 150", p.Size(301, 150), Aspect, 301.0 / 150, 2},
		{"200 x 401", p.Size(200, 401), Aspect, 200.0 / 401, 0.5},
		{"10 pairs", p.InCorpus(10), "", 0, 0},
		{"11 pairs", p.InCorpus(11), DuplicateInCorpus, 11, 10},
		{"similarity at the limit", p.Similar(0.15), "", 0, 0},
		{"similarity below", p.Similar(0.125), Similarity, 0.125, 0.15},
		{"nsfw below", p.NSFWScore(0.0625), "", 0, 0},
		{"nsfw above", p.NSFWScore(0.125), NSFW, 0.125, 0.1},
		{"face at the limit", p.FaceScore(0.5), "", 0, 0},
		{"face above", p.FaceScore(0.75), Face, 0.75, 0.5},
	} {
		if rule(c.got) != c.rule {
			t.Errorf("%s: %q, want %q", c.what, rule(c.got), c.rule)
			continue
		}
		if c.got != nil && (*c.got.Value != c.value || *c.got.Limit != c.limit) {
			t.Errorf("%s: value %v, limit %v, want %v, %v", c.what, *c.got.Value, *c.got.Limit, c.value, c.limit)
		}
	}
	if nan := float32(math.NaN()); p.NSFWScore(nan) == nil || p.Similar(nan) == nil {
		t.Error("a score that is not a number must not pass")
	}
	if rule(p.Candidate("data")) != BadCandidate || p.Candidate("") != nil {
		t.Error("bad_candidate")
	}
	if r := p.Fetched("http_404"); rule(r) != Fetch || r.Detail != "http_404" || p.Fetched("ok") != nil {
		t.Error("fetch")
	}
}

func TestRulesAreInOrder(t *testing.T) {
	want := []string{"bad_candidate", "extension", "url_token", "fetch", "min_side", "aspect", "duplicate_in_document",
		"duplicate_in_corpus", "nsfw", "face", "similarity", "bad_record", "no_page", "no_image"}
	rules := MMC4().Rules()
	if len(rules) != len(want) {
		t.Fatalf("%d rules, want %d", len(rules), len(want))
	}
	for i, r := range rules {
		if r.Name != want[i] {
			t.Errorf("rule %d is %s, want %s", i, r.Name, want[i])
		}
	}
}

func TestDuplicatesInDocument(t *testing.T) {
	p := MMC4()
	var page Page
	for _, c := range []struct {
		hash uint64
		near float64 // -1: kept
	}{
		{0, -1},
		{0, 0},
		{0b11111, 5},
		{0b111111, -1}, // 6 bits from the first
		{0b1111111, 1}, // near the second kept
		{0b11111 << 40, 5},
		{0xffff << 40, -1},
	} {
		got := page.Keep(p, c.hash)
		if (got == nil) != (c.near < 0) {
			t.Errorf("%x: %v", c.hash, got)
		} else if got != nil && (*got.Value != c.near || *got.Limit != 5 || got.Rule != DuplicateInDocument) {
			t.Errorf("%x: distance %v of at most %v", c.hash, *got.Value, *got.Limit)
		}
	}
	page.Reset()
	if page.Keep(p, 0) != nil {
		t.Error("a new page knows nothing of the old one")
	}
	p.Dedup.Hamming = -1
	if page.Keep(p, 0) != nil {
		t.Error("hamming -1 switches the rule off")
	}
}

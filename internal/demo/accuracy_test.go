package demo

import (
	"math"
	"testing"
	"time"

	"mmc4/schemas"
)

func TestAccuracyCountsRightSentences(t *testing.T) {
	truth := &Truth{Documents: []DocumentTruth{{URL: "http://a.test/", Timestamp: "2099-05-04T06:00:00Z", Match: "exact",
		Sentences: []string{"One.", "Two.", "Three.", "Four."},
		Images: []ImageTruth{{URL: "http://a.test/1.jpg", Attr: "img@src", Shows: []int{1, 2}}, {URL: "http://a.test/2.jpg", Attr: "img@src", Shows: []int{0}},
			{URL: "http://a.test/3.jpg", Attr: "img@src", Rule: "similarity"}, {URL: "http://a.test/4.jpg", Attr: "img@src", Shows: []int{3}}}}}}
	doc := schemas.Document{URL: "http://a.test/", Timestamp: time.Date(2099, 5, 4, 6, 0, 0, 0, time.UTC), TextList: truth.Documents[0].Sentences,
		ImageInfo: []schemas.ImageInfo{{RawURL: "http://a.test/1.jpg", MatchedTextIndex: 2}, {RawURL: "http://a.test/2.jpg", MatchedTextIndex: 1},
			{RawURL: "http://a.test/3.jpg"}, {RawURL: "http://a.test/unknown.jpg"}},
		SimilarityMatrix: [][]float32{{0, 0.5, 0.2, 0}, {0.9, 0.1, 0, 0}, {0.2, 0, 0, 0}, {0, 0, 0, 1}}}
	got := Accuracy([]schemas.Document{doc, doc}, truth)
	want := Score{Documents: 1, Images: 2, Missing: 1, P1: 0.5, ArgMax: 1, Chance: (0.5 + 0.25) / 2, ImagesP1: 0.5, Strays: 1}
	if math.Abs(got.P1-want.P1) > 1e-12 || got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestRulesCountPlantedRejects(t *testing.T) {
	truth := &Truth{Documents: []DocumentTruth{{URL: "http://a.test/", Images: []ImageTruth{
		{URL: "http://a.test/x.jpg", Attr: "img@src", Rule: "fetch", Detail: "http_404"}, {URL: "http://a.test/y.jpg", Attr: "img@src", Rule: "fetch", Detail: "robots"},
		{URL: "http://a.test/z.gif", Attr: "img@src", Rule: "extension"}}}}}
	text := func(s string) *string { return &s }
	got := Rules([]schemas.Reject{
		{Rule: "fetch", URL: text("http://a.test/"), ImageURL: text("http://a.test/x.jpg"), Detail: text("http_404")},
		{Rule: "fetch", URL: text("http://a.test/"), ImageURL: text("http://a.test/y.jpg"), Detail: text("timeout")},
		{Rule: "extension", URL: text("http://a.test/"), ImageURL: text("http://a.test/z.gif"), Detail: text("gif")},
		{Rule: "bad_record"},
	}, truth)
	if len(got) != 2 || got[0] != (RuleCount{"extension", 1, 1}) || got[1] != (RuleCount{"fetch", 2, 1}) {
		t.Errorf("got %+v", got)
	}
}

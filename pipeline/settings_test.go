package pipeline

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSettings(t *testing.T) {
	s := DefaultSettings()
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	for _, set := range []string{"match.min_similarity=0.2", "dedup.min_side=64", "dedup.hamming=0", "dedup.corpus_max=3",
		"images=files", "resize=512", "network.per_host_rate=2.5", "dedup.url_tokens=[ads]"} {
		if err := s.Set(set); err != nil {
			t.Error(err)
		}
	}
	want := DefaultSettings()
	want.Match.MinSimilarity, want.Dedup.MinSide, want.Dedup.Hamming, want.Dedup.CorpusMax = 0.2, 64, 0, 3
	want.Images, want.Resize, want.Network.PerHostRate, want.Dedup.URLTokens = "files", "512", 2.5, []string{"ads"}
	if d := cmp.Diff(want, s); d != "" {
		t.Error(d)
	}
	for _, bad := range []string{"match.min_similarty=0.2", "nothing=1", "match=1", "dedup.min_side=big", "x", "=1"} {
		before := s
		err := s.Set(bad)
		if !errors.Is(err, ErrUsage) || strings.Contains(err.Error(), "line") {
			t.Errorf("--set %s: %v", bad, err)
		}
		if d := cmp.Diff(before, s); d != "" {
			t.Errorf("--set %s changed something: %s", bad, d)
		}
	}
	for _, bad := range []string{"match.min_similarity=7", "resize=big", "candidates=some", "partitions=0", "dedup.extensions=[]", "dedup.url_tokens=['']", "dedup.max_aspect=0.1", "match.min_similarity=.nan"} {
		s := DefaultSettings()
		if err := s.Set(bad); err != nil {
			t.Error(err)
		}
		err := s.Check()
		if key, _, _ := strings.Cut(bad, "="); !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestOnlyWhatChangesTheOutputIsHashed(t *testing.T) {
	a, b := DefaultSettings(), DefaultSettings()
	b.Network.PerHost = 7
	_, ha := a.canonical()
	_, hb := b.canonical()
	b.Match.MinSimilarity = 0.3
	if _, hc := b.canonical(); ha != hb || ha == hc {
		t.Error(ha, hb, hc)
	}
}

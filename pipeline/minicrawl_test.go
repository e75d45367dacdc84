package pipeline

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"mmc4/crawl/fetch"
)

// TestMiniCrawl builds from the mini crawl at MMC4_MINICRAWL, whose server is at MMC4_MINICRAWL_SERVER (host:port).
func TestMiniCrawl(t *testing.T) {
	root, server := os.Getenv("MMC4_MINICRAWL"), os.Getenv("MMC4_MINICRAWL_SERVER")
	if root == "" || server == "" {
		t.Skip("MMC4_MINICRAWL and MMC4_MINICRAWL_SERVER are not set")
	}
	rule, err := fetch.ParseConnectTo("*:80:" + server)
	if err != nil {
		t.Fatal(err)
	}
	out := os.Getenv("MMC4_OUT")
	if out == "" {
		out = t.TempDir()
	}
	cfg := Config{C4: []string{filepath.Join(root, "c4/en/*.json.gz")}, WAT: []string{filepath.Join(root, "crawl-data/CC-MAIN-2099-01/segments/*/wat/*.wat.gz")},
		Out: out, Settings: DefaultSettings(), Embedder: fakeEmbedder{"a"}, Fetch: fetch.Options{ConnectTo: []fetch.ConnectRule{rule}}}
	l := &listener{}
	s, err := Build(context.Background(), cfg, l)
	for _, n := range l.notes {
		t.Log(n)
	}
	for _, u := range l.updates {
		if u.Ended {
			t.Logf("%-16s %6d %-10s %8.0f/s %v", u.Phase, u.Items, u.Unit, u.Rate, u.Elapsed)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	b, _ := json.MarshalIndent(s, "", " ")
	t.Log(string(b))
}

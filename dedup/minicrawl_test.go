package dedup

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// truthRules maps the mini crawl's names of rules to those of profile mmc4.
var truthRules = map[string]string{
	"extension": Extension, "deny": URLToken, "download": Fetch, "size": MinSide, "aspect": Aspect,
}

// TestMinicrawlTruth applies the rules on URLs, outcomes and sizes to every picture of the mini crawl and compares with
// its independently computed truth.
func TestMinicrawlTruth(t *testing.T) {
	root := os.Getenv("MMC4_MINICRAWL")
	if root == "" {
		t.Skip("MMC4_MINICRAWL is not set: the mini crawl's truth is not compared")
	}
	f, err := os.Open(filepath.Join(root, "truth", "filters.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p := MMC4()
	seen := map[string]int{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var row struct {
			URL           string
			Outcome       *string
			Width, Height *int
			Deny          *string
			FirstFail     *string `json:"first_fail"`
		}
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		out := p.URL(row.URL)
		if out == nil && row.Outcome != nil {
			out = p.Fetched(*row.Outcome)
		}
		if out == nil && row.Width != nil {
			out = p.Size(*row.Width, *row.Height)
		}
		got, want := "", ""
		if out != nil {
			got = out.Rule
		}
		if row.FirstFail != nil {
			want = truthRules[*row.FirstFail]
		}
		if got != want {
			t.Errorf("%s: %q, the truth says %q", row.URL, got, want)
		}
		if got == URLToken && out.Detail != *row.Deny {
			t.Errorf("%s: token %q, the truth says %q", row.URL, out.Detail, *row.Deny)
		}
		seen[got]++
	}
	t.Log(seen)
	if seen[""] == 0 {
		t.Error("no picture survived")
	}
}

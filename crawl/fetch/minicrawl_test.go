package fetch

// The mini crawl: every picture URL of its truth against its server with all misbehaviour on. Runs where MMC4_MINICRAWL
// names a made crawl and MMC4_SHARED the tree with its server.

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"
)

// truthRow is a line of truth/images.jsonl.
type truthRow struct {
	URL      string
	Outcome  Outcome
	Accept   []Outcome
	Kind     string
	Attempts int
	SHA256   string
	Decode   string
	Final    string
}

// logRow is a line of the server's log.
type logRow struct {
	Time    float64
	Host    string
	Path    string
	Agent   string
	From    string
	AtOnce  int `json:"at_once"`
	Port    int
	Number  int `json:"request_on_connection"`
	Status  int
	Seconds float64
	Kind    string
	GaveUp  bool `json:"gave_up"`
}

func minicrawl(t testing.TB) (root, serve string) {
	root, shared := os.Getenv("MMC4_MINICRAWL"), os.Getenv("MMC4_SHARED")
	if root == "" || shared == "" {
		t.Skip("MMC4_MINICRAWL and MMC4_SHARED are not set: no mini crawl")
	}
	return root, filepath.Join(shared, "minicrawl", "serve.py")
}

// startServer runs serve.py and gives its ports.
func startServer(t testing.TB, root, serve, log string, args ...string) (port, tlsPort int) {
	cmd := exec.Command(filepath.Join(root, ".venv", "bin", "python"), append([]string{serve, root, "--port", "0", "--tls-port", "0", "--log", log}, args...)...)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	var said struct {
		Port    int `json:"port"`
		TLSPort int `json:"tls_port"`
	}
	if err := json.NewDecoder(stdout).Decode(&said); err != nil {
		t.Fatal(err)
	}
	return said.Port, said.TLSPort
}

func readLines[T any](t testing.TB, path string) []T {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var rows []T
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var row T
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	return rows
}

func minicrawlRules(t testing.TB, port, tlsPort int) []ConnectRule {
	var rules []ConnectRule
	for _, s := range []string{fmt.Sprintf("*.test:80:127.0.0.1:%d", port), fmt.Sprintf("*.test:443:127.0.0.1:%d", tlsPort)} {
		r, err := ParseConnectTo(s)
		if err != nil {
			t.Fatal(err)
		}
		rules = append(rules, r)
	}
	return rules
}

func TestMiniCrawl(t *testing.T) {
	t.Run("direct", func(t *testing.T) { testMiniCrawl(t, false) })
	t.Run("proxy", func(t *testing.T) { testMiniCrawl(t, true) })
}

// testMiniCrawl fetches with every limit at its default, or faster and through the server as a proxy.
func testMiniCrawl(t *testing.T, proxied bool) {
	root, serve := minicrawl(t)
	log := filepath.Join(t.TempDir(), "access.jsonl")
	const slow = 0.3 // of the server's delays, and so of our deadlines
	port, tlsPort := startServer(t, root, serve, log, "--slow", fmt.Sprint(slow))
	rows := readLines[truthRow](t, filepath.Join(root, "truth", "images.jsonl"))
	truth := map[string]truthRow{}
	for _, r := range rows {
		truth[r.URL] = r
	}

	o := Options{
		Contact: "test@example.org", ConnectTo: minicrawlRules(t, port, tlsPort), SpillDir: t.TempDir(),
		FirstByteTimeout: 20 * time.Second, StallTimeout: 8 * time.Second, TotalTimeout: 25 * time.Second,
	}
	if proxied {
		o.ConnectTo, o.PerHostRate = nil, 100
		o.Proxy = &url.URL{Scheme: "http", Host: fmt.Sprintf("127.0.0.1:%d", port)}
	}
	f, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	start := time.Now()
	got := map[string]Result{}
	err = f.Run(t.Context(), func(yield func(string) bool) {
		for _, r := range rows {
			if !yield(r.URL) {
				return
			}
		}
	}, func(r Result) {
		if _, twice := got[r.URL]; twice {
			t.Errorf("%s has two results", r.URL)
		}
		sum := sha256.Sum256(r.Body)
		r.Detail += " sha256:" + hex.EncodeToString(sum[:])
		r.Body = nil
		got[r.URL] = r
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d URLs in %.1f s", len(got), time.Since(start).Seconds())

	counts, attempts := map[string]int{}, map[string]int{}
	for _, want := range rows {
		r, ok := got[want.URL]
		if !ok {
			t.Errorf("%s has no result", want.URL)
			continue
		}
		// A decoder has the last word on what comes whole and begins like a picture.
		decoders := r.Outcome == OK && (want.Outcome == TooManyPixels || want.Outcome == DecodeError || want.Decode != "ok" && want.Outcome == Truncated)
		// A proxy that cannot look up a name says 502.
		lookups := proxied && r.Outcome == "http_502" && slices.Contains(want.Accept, DNS)
		if !slices.Contains(want.Accept, r.Outcome) && !decoders && !lookups {
			t.Errorf("%s (%s): %s, want one of %v: %s", want.URL, want.Kind, r.Outcome, want.Accept, r.Detail)
		}
		if r.Outcome == OK && want.SHA256 != "" && !strings.HasSuffix(r.Detail, want.SHA256) {
			t.Errorf("%s: other bytes than %s", want.URL, want.SHA256)
		}
		if want.Final != "" && r.Outcome == OK && r.FinalURL != want.Final {
			t.Errorf("%s: final URL %s, want %s", want.URL, r.FinalURL, want.Final)
		}
		counts[fmt.Sprintf("%-16s %s", r.Outcome, want.Kind)]++
		if want.Attempts != 0 && want.Attempts != r.Attempts {
			attempts[fmt.Sprintf("%s %s: %d attempts, the truth says %d", want.Kind, r.Outcome, r.Attempts, want.Attempts)]++
			if (want.Kind == "flaky" || !transient(r.Outcome)) && !lookups {
				t.Errorf("%s: %d attempts, want %d", want.URL, r.Attempts, want.Attempts)
			}
		}
	}
	for _, m := range []map[string]int{counts, attempts} {
		var lines []string
		for k, n := range m {
			lines = append(lines, fmt.Sprintf("%5d %s", n, k))
		}
		sort.Strings(lines)
		t.Log("\n" + strings.Join(lines, "\n"))
	}
	time.Sleep(time.Second) // the server flushes its log every 0.3 s
	checkLog(t, log, got, proxied)
}

// checkLog proves our manners from the server's side.
func checkLog(t *testing.T, path string, got map[string]Result, proxied bool) {
	rows := readLines[logRow](t, path)
	byHost := map[string][]logRow{}
	conns := map[int]bool{}
	for _, r := range rows {
		byHost[r.Host] = append(byHost[r.Host], r)
		conns[r.Port] = true
		if strings.HasPrefix(r.Path, "/canary") || !proxied && !strings.HasSuffix(strings.Split(r.Host, ":")[0], ".test") {
			t.Errorf("asked for http://%s%s", r.Host, r.Path)
		}
		if r.Agent != "mmc4/dev (+test@example.org)" || r.From != "test@example.org" {
			t.Errorf("agent %q, from %q", r.Agent, r.From)
		}
	}
	for u, r := range got {
		p, err := url.Parse(u)
		if err == nil && r.Outcome == Robots && p.Path != "" {
			for _, asked := range byHost[p.Host] {
				if asked.Path == p.EscapedPath() && !strings.HasPrefix(p.Host, "maze") {
					t.Errorf("%s was asked for against robots.txt", u)
				}
			}
		}
	}
	most, most2 := 0, map[string]int{}
	for host, list := range byHost {
		sort.Slice(list, func(a, b int) bool { return list[a].Time < list[b].Time })
		if list[0].Path != "/robots.txt" {
			t.Errorf("%s: the first request is for %s", host, list[0].Path)
		}
		abandoned := slices.ContainsFunc(list, func(r logRow) bool { return r.GaveUp || r.Kind == "slow" || r.Kind == "stall" || r.Kind == "zeros" })
		for i, r := range list {
			if !abandoned && r.AtOnce > 2 {
				t.Errorf("%s: %d requests at once", host, r.AtOnce)
			}
			if r.AtOnce > 2 {
				most2[host] = max(most2[host], r.AtOnce)
			}
			n := 1
			for k := i + 1; k < len(list) && list[k].Time-r.Time < 1; k++ {
				n++
			}
			most = max(most, n)
			if n > 10 && !proxied {
				t.Errorf("%s: %d requests within a second", host, n)
			}
		}
	}
	// Retry-After: "1" second, or a date 2 seconds on (whole seconds: at least 1).
	last := map[string]float64{}
	for _, r := range byHost["flaky.test"] {
		if strings.Contains(r.Path, "429") {
			if before := last[r.Path]; before != 0 && r.Time-before < 1 {
				t.Errorf("%s: asked again after %.2f s", r.Path, r.Time-before)
			}
			last[r.Path] = r.Time
		}
	}
	for i, r := range byHost["delay.test"] {
		if i > 1 && r.Time-byHost["delay.test"][i-1].Time < 1.95 {
			t.Errorf("delay.test: %.2f s apart", r.Time-byHost["delay.test"][i-1].Time)
		}
	}
	t.Logf("%d requests on %d connections; at most %d of a host in a second; more than 2 open at once, by the server's count, which goes on after we gave up: %v", len(rows), len(conns), most, most2)
}

// BenchmarkWellBehaved fetches every picture URL from the well-behaved server, without the limit of requests a second.
func BenchmarkWellBehaved(b *testing.B) {
	root, serve := minicrawl(b)
	port, tlsPort := startServer(b, root, serve, "-", "--well-behaved")
	var urls []string
	for _, r := range readLines[truthRow](b, filepath.Join(root, "truth", "images.jsonl")) {
		if r.Kind == "plain" && r.Decode == "ok" && strings.HasPrefix(r.URL, "http:") {
			urls = append(urls, r.URL)
		}
	}
	f, err := New(Options{ConnectTo: minicrawlRules(b, port, tlsPort), PerHostRate: 1e6})
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	var mu sync.Mutex
	n, bytes := 0, int64(0)
	for b.Loop() {
		if err := f.Run(b.Context(), slices.Values(urls), func(r Result) {
			mu.Lock()
			defer mu.Unlock()
			n++
			bytes += r.Size
		}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "URLs/s")
	b.ReportMetric(float64(bytes)/b.Elapsed().Seconds()/1e6, "MB/s")
}

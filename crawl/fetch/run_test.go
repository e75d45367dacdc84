package fetch

// The scheduler: fairness, limits for every host, waiting URLs, busy and dead hosts, memory.

import (
	"context"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// numbered makes n URLs of a host.
func numbered(host string, n int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range n {
			if !yield(fmt.Sprintf("http://%s/%d.png", host, i)) {
				return
			}
		}
	}
}

func chain(parts ...iter.Seq[string]) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, p := range parts {
			for u := range p {
				if !yield(u) {
					return
				}
			}
		}
	}
}

func noRobots(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			http.NotFound(w, r)
			return
		}
		h(w, r)
	}
}

// TestSlowHostFirst puts a long row of URLs of a host that never answers before those of others.
func TestSlowHostFirst(t *testing.T) {
	_, o := site(t, noRobots(func(w http.ResponseWriter, r *http.Request) {
		if r.Host == "slow.test" {
			<-r.Context().Done()
			return
		}
		picture(w)
	}))
	o.SpillDir = t.TempDir()
	o.Connections = 8
	f := open(t, o)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var others, spilled int
	err := f.Run(ctx, chain(numbered("slow.test", 5000), numbered("a.test", 300), numbered("b.test", 300)), func(r Result) {
		if r.Outcome != OK {
			t.Errorf("%+v", r)
		}
		if others++; others == 600 {
			left, _ := os.ReadDir(o.SpillDir)
			spilled = len(left)
			cancel()
		}
	})
	if others != 600 || err == nil {
		t.Errorf("%d of 600 others came, Run: %v", others, err)
	}
	if left, _ := os.ReadDir(o.SpillDir); spilled != 1 || len(left) != 0 {
		t.Errorf("spill files: %d in the run, %d after it", spilled, len(left))
	}
}

// TestEveryURLOnce sends more URLs of few hosts than fit in memory, some refused by robots.txt at once.
func TestEveryURLOnce(t *testing.T) {
	_, o := site(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			if r.Host == "closed.test" {
				_, _ = io.WriteString(w, "User-agent: *\nDisallow: /")
			}
			return
		}
		picture(w)
	}))
	o.PerHostRate = 1e6
	o.SpillDir = t.TempDir()
	f := open(t, o)
	got := map[string]int{}
	counts := map[Outcome]int{}
	err := f.Run(t.Context(), chain(numbered("closed.test", 5000), numbered("a.test", 700), numbered("b.test", 33), slices.Values([]string{"bad", "http://c.test/"})), func(r Result) {
		got[r.URL]++
		counts[r.Outcome]++
	})
	if err != nil {
		t.Fatal(err)
	}
	for u, n := range got {
		if n != 1 {
			t.Errorf("%s has %d results", u, n)
		}
	}
	if counts[Robots] != 5000 || counts[OK] != 734 || counts[ProtocolError] != 1 {
		t.Errorf("%v", counts)
	}
}

// TestHostLimits watches, from the server's side, requests at a time and requests a second, over callers and redirects.
func TestHostLimits(t *testing.T) {
	var now, most atomic.Int64
	var mu sync.Mutex
	var times []time.Time
	_, o := site(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host == "from.test" {
			if r.URL.Path != "/robots.txt" {
				http.Redirect(w, r, "http://to.test"+r.URL.Path, 302)
			}
			return
		}
		mu.Lock()
		times = append(times, time.Now())
		mu.Unlock()
		most.Store(max(most.Load(), now.Add(1)))
		time.Sleep(15 * time.Millisecond)
		now.Add(-1)
		if r.URL.Path != "/robots.txt" {
			picture(w)
		}
	}))
	o.PerHostRate = 20
	f := open(t, o)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if err := f.Run(t.Context(), chain(numbered("from.test", 6), numbered("to.test", 6)), func(r Result) {
				if r.Outcome != OK {
					t.Errorf("%+v", r)
				}
			}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if most.Load() > 2 {
		t.Errorf("%d requests at once", most.Load())
	}
	if len(times) != 37 {
		t.Errorf("%d requests, want 36 and robots.txt", len(times))
	}
	for i := 20; i < len(times); i++ {
		if d := times[i].Sub(times[i-20]); d < time.Second {
			t.Errorf("21 requests within %v", d)
		}
	}
}

// TestRetryAfter keeps what a busy host asks for, and does not wait for days.
func TestRetryAfter(t *testing.T) {
	var mu sync.Mutex
	asked := map[string][]time.Time{}
	_, o := site(t, noRobots(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked[r.URL.Path] = append(asked[r.URL.Path], time.Now())
		n := len(asked[r.URL.Path])
		mu.Unlock()
		switch {
		case r.URL.Path == "/tomorrow":
			w.Header().Set("Retry-After", "86400")
			w.WriteHeader(503)
		case r.URL.Path == "/date" && n == 1:
			w.Header().Set("Retry-After", time.Now().Add(2*time.Second).UTC().Format(http.TimeFormat))
			w.WriteHeader(429)
		case r.URL.Path == "/seconds" && n == 1:
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(429)
		default:
			picture(w)
		}
	}))
	f := open(t, o)
	err := f.Run(t.Context(), slices.Values([]string{"http://a.test/seconds", "http://b.test/date", "http://c.test/tomorrow"}), func(r Result) {
		want := map[string]Outcome{"http://c.test/tomorrow": "http_503"}[r.URL]
		attempts := 1
		if want == "" {
			want, attempts = OK, 2
		}
		if r.Outcome != want || r.Attempts != attempts {
			t.Errorf("%+v", r)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/seconds", "/date"} {
		if d := asked[path][1].Sub(asked[path][0]); d < time.Second {
			t.Errorf("%s: asked again after %v", path, d)
		}
	}
}

// TestDeadHost stops asking a host that never answers.
func TestDeadHost(t *testing.T) {
	var requests atomic.Int64
	_, o := site(t, noRobots(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		raw(w, "", true)
	}))
	o.Attempts = 1
	f := open(t, o)
	counts := map[int]int{}
	if err := f.Run(t.Context(), numbered("dead.test", 500), func(r Result) {
		if r.Outcome != Reset {
			t.Errorf("%+v", r)
		}
		counts[r.Attempts]++
	}); err != nil {
		t.Fatal(err)
	}
	if n := requests.Load(); n < deadAfter || n > deadAfter+2 || counts[0] != 500-int(n) {
		t.Errorf("%d requests, results by attempts %v", n, counts)
	}
}

// TestMemory holds many bodies of unknown length in a budget that fits few.
func TestMemory(t *testing.T) {
	const size = 300 << 10
	body := append(slices.Clone(png), make([]byte, size)...)
	_, o := site(t, noRobots(func(w http.ResponseWriter, _ *http.Request) {
		for part := range slices.Chunk(body, 10_000) {
			_, _ = w.Write(part)
			_ = http.NewResponseController(w).Flush()
		}
	}))
	o.MaxBytes = 512 << 10
	o.Memory = 4 * o.MaxBytes
	f := open(t, o)
	var hosts []iter.Seq[string]
	for i := range 40 {
		hosts = append(hosts, numbered(fmt.Sprintf("h%d.test", i), 3))
	}
	n := 0
	if err := f.Run(t.Context(), chain(hosts...), func(r Result) {
		n++
		if r.Outcome != OK || len(r.Body) != len(body) {
			t.Errorf("%s: %s %s, %d bytes", r.URL, r.Outcome, r.Detail, len(r.Body))
		}
		f.e.memory.mu.Lock()
		defer f.e.memory.mu.Unlock()
		if f.e.memory.free < 0 {
			t.Errorf("memory: %d free", f.e.memory.free)
		}
	}); err != nil || n != 120 {
		t.Fatal(n, err)
	}
	if m := f.e.memory; m.free != o.Memory-2*o.MaxBytes-2 || len(m.lane) != 1 {
		t.Errorf("memory is not given back: %d free, lane %d", m.free, len(m.lane))
	}
}

// TestConnectionBound counts sockets over many hosts.
func TestConnectionBound(t *testing.T) {
	var now, most atomic.Int64
	_, o := site(t, noRobots(func(w http.ResponseWriter, _ *http.Request) { picture(w) }))
	o.Connections = 5
	f := open(t, o)
	stop := make(chan struct{})
	go func() {
		for {
			select {
			case <-stop:
				return
			default:
				s := f.Stats()
				now.Store(int64(s.Open))
				most.Store(max(most.Load(), now.Load()))
				if s.Running > 5 {
					t.Errorf("%d running", s.Running)
				}
			}
		}
	}()
	var hosts []iter.Seq[string]
	for i := range 60 {
		hosts = append(hosts, numbered(fmt.Sprintf("h%d.test", i), 5))
	}
	if err := f.Run(t.Context(), chain(hosts...), func(r Result) {
		if r.Outcome != OK {
			t.Errorf("%+v", r)
		}
	}); err != nil {
		t.Fatal(err)
	}
	close(stop)
	if most.Load() > 5 {
		t.Errorf("%d connections", most.Load())
	}
}

// TestSharedRobots asks for a robots.txt once, also when the run that wanted it first is cancelled.
func TestSharedRobots(t *testing.T) {
	var robots atomic.Int64
	release := make(chan struct{})
	_, o := site(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			robots.Add(1)
			select {
			case <-release:
			case <-r.Context().Done():
			}
			return
		}
		picture(w)
	}))
	f := open(t, o)
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan Result, 1)
	second := make(chan Result, 1)
	go func() { first <- f.Fetch(ctx, "http://a.test/1") }()
	go func() { second <- f.Fetch(t.Context(), "http://a.test/2") }()
	for robots.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(20 * time.Millisecond)
	cancel()
	if r := <-first; r.Outcome != Timeout || !strings.Contains(r.Detail, "canceled") {
		t.Errorf("cancelled: %+v", r)
	}
	close(release)
	if r := <-second; r.Outcome != OK || robots.Load() != 1 {
		t.Errorf("%+v, robots.txt was asked for %d times", r, robots.Load())
	}
}

func BenchmarkManyHosts(b *testing.B) {
	body := append(slices.Clone(png), make([]byte, 20<<10)...)
	_, o := site(b, noRobots(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) }))
	o.PerHostRate = 10 // the default, as a user has it
	f := open(b, o)
	var urls []string
	for i := range 10 {
		for h := range 1000 {
			urls = append(urls, fmt.Sprintf("http://h%d.test/%d.png", h, i))
		}
	}
	cpu := func() float64 {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e3
	}
	n, before := 0, cpu()
	for b.Loop() {
		if err := f.Run(b.Context(), slices.Values(urls), func(r Result) {
			n++
			if r.Outcome != OK {
				b.Errorf("%+v", r)
			}
		}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "URLs/s")
	b.ReportMetric((cpu()-before)/float64(n), "CPU-us/URL") // the server's half included
}

// TestStaleConnections meets a server that closes its connections without a word as soon as it has answered.
func TestStaleConnections(t *testing.T) {
	_, o := site(t, noRobots(func(w http.ResponseWriter, _ *http.Request) {
		raw(w, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(png), png), false)
	}))
	f := open(t, o)
	if err := f.Run(t.Context(), numbered("a.test", 100), func(r Result) {
		if r.Outcome != OK {
			t.Errorf("%+v", r)
		}
	}); err != nil {
		t.Fatal(err)
	}
}

// TestStorm sends many URLs to many hosts that do everything wrong by chance, with little of everything to work with:
// every URL gets one result, and nothing hangs.
func TestStorm(t *testing.T) {
	mux := func(w http.ResponseWriter, r *http.Request) {
		switch rand.IntN(12) {
		case 0:
			raw(w, "", true)
		case 1:
			w.WriteHeader(503)
		case 2, 3:
			http.Redirect(w, r, fmt.Sprintf("http://h%d.test/%d", rand.IntN(40), rand.IntN(1000)), 302)
		case 4:
			raw(w, "HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n"+string(png), false)
		case 5:
			<-r.Context().Done()
		case 6:
			w.Header().Set("Connection", "close")
			picture(w)
		case 7:
			_, _ = w.Write(append(slices.Clone(png), make([]byte, rand.IntN(300<<10))...))
		default:
			picture(w)
		}
	}
	_, o := site(t, http.HandlerFunc(mux))
	o.Connections, o.MaxBytes, o.Memory = 7, 256<<10, 1
	o.FirstByteTimeout, o.StallTimeout, o.TotalTimeout = 20*time.Millisecond, 20*time.Millisecond, 100*time.Millisecond
	o.MaxRetryAfter = time.Millisecond
	o.PerHostRate = 1e6
	o.SpillDir = t.TempDir()
	f := open(t, o)
	var hosts []iter.Seq[string]
	for i := range 40 {
		hosts = append(hosts, numbered(fmt.Sprintf("h%d.test", i), 60))
	}
	got := map[string]int{}
	if err := f.Run(t.Context(), chain(hosts...), func(r Result) { got[r.URL]++ }); err != nil {
		t.Fatal(err)
	}
	if len(got) != 40*60 {
		t.Errorf("%d results", len(got))
	}
	for u, n := range got {
		if n != 1 {
			t.Errorf("%s: %d results", u, n)
		}
	}
	f.Close()
	for i := 0; f.Stats().Running > 0 && i < 100; i++ {
		time.Sleep(10 * time.Millisecond)
	}
	if s := f.Stats(); s.Open != 0 || s.Hosts != 0 || s.Running != 0 {
		t.Errorf("left over: %+v", s)
	}
	if m := f.e.memory; m.free != f.e.opt.Memory-2*o.MaxBytes-2 || len(m.lane) != 1 {
		t.Errorf("memory is not given back: %d free", m.free)
	}
}

// TestRunsEndTogether cancels several runs of one Fetcher at once, as an interrupted build does: each ends its own jobs.
func TestRunsEndTogether(t *testing.T) {
	_, o := site(t, noRobots(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-time.After(20 * time.Millisecond):
			fmt.Fprint(w, "no picture")
		}
	}))
	o.PerHostRate = 20 // so that most wait
	for range 10 {
		f := open(t, o)
		ctx, cancel := context.WithCancel(context.Background())
		var runs sync.WaitGroup
		for run := range 4 {
			runs.Go(func() {
				hosts := chain(numbered("a.test", 50), numbered("b.test", 50), numbered(fmt.Sprintf("c%d.test", run), 50))
				if err := f.Run(ctx, hosts, func(Result) {}); err != context.Canceled {
					t.Errorf("Run: %v", err)
				}
			})
		}
		time.Sleep(time.Duration(rand.IntN(100)) * time.Millisecond)
		cancel()
		ended := make(chan struct{})
		go func() { runs.Wait(); close(ended) }()
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			t.Fatal("a run has not ended 20 s after its context")
		}
	}
}

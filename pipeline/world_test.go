package pipeline

// A tiny synthetic crawl for tests: C4 files, WAT files, and a server for its pictures on loopback.

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"mmc4/crawl/fetch"
)

type server = httptest.Server

type world struct {
	dir    string
	server *server
	mu     sync.Mutex
	asked  map[string]int
}

// newWorld makes documents pages; about every kind of reject occurs.
func newWorld(t testing.TB, documents int) *world {
	w := &world{dir: t.TempDir(), asked: map[string]int{}}
	w.write(t, documents)
	w.server = httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(w.server.Close)
	return w
}

func (w *world) serve(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	w.asked[r.Host+r.URL.Path]++
	w.mu.Unlock()
	name := r.URL.Path
	switch {
	case strings.Contains(name, "missing"), name == "/robots.txt":
		http.NotFound(rw, r)
	case strings.Contains(name, "broken"):
		rw.Write([]byte("\x89PNG\r\n\x1a\n and no more"))
	case strings.Contains(name, "small"):
		rw.Write(picture(name, 40, 40))
	case strings.Contains(name, "banner"):
		rw.Write(picture(name, 500, 160))
	case strings.Contains(name, "same"):
		rw.Write(picture("same", 200, 180))
	case strings.Contains(name, "large"):
		rw.Write(picture(name, 900, 500))
	default:
		rw.Write(picture(name, 200, 160))
	}
}

var pictures sync.Map

// picture draws blocks of colours that depend on a name.
func picture(name string, width, height int) []byte {
	key := fmt.Sprint(name, width)
	if data, ok := pictures.Load(key); ok {
		return data.([]byte)
	}
	sum := sha256.Sum256([]byte(name))
	rnd := rand.New(rand.NewChaCha8(sum))
	palette := make(color.Palette, 64)
	for i := range palette {
		palette[i] = color.RGBA{uint8(rnd.Uint32()), uint8(rnd.Uint32()), uint8(rnd.Uint32()), 255}
	}
	m := image.NewPaletted(image.Rect(0, 0, width, height), palette)
	for y := range height {
		for x := range width {
			m.Pix[y*m.Stride+x] = uint8(y*8/height*8 + x*8/width)
		}
	}
	var buf bytes.Buffer
	(&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&buf, m)
	if buf.Len() < 1<<12 {
		pictures.Store(key, buf.Bytes())
	}
	return buf.Bytes()
}

func (w *world) write(t testing.TB, documents int) {
	rnd := rand.New(rand.NewPCG(1, 2))
	const files = 3
	var c4, wat [files]bytes.Buffer
	offset := 0
	for i := range documents {
		host := fmt.Sprintf("host%d.test", i%7)
		url := fmt.Sprintf("http://%s/page/%d.html", host, i)
		if i%23 == 22 { // two documents of one URL
			url = fmt.Sprintf("http://host%d.test/page/%d.html", (i-1)%7, i-1)
		}
		when := time.Date(2099, 1, 5, 0, i, 0, 0, time.UTC)
		text := ""
		for s := range rnd.IntN(4) + 1 {
			text += fmt.Sprintf("This is sentence %d of document %d. ", s, i)
		}
		if i%29 == 28 {
			text = ""
		}
		line, _ := json.Marshal(map[string]string{"url": url, "timestamp": when.Format(time.RFC3339), "text": text})
		c4[i%files].Write(append(line, '\n'))
		if i%11 == 10 {
			c4[i%files].WriteString("{broken\n")
		}
		if i%13 == 12 {
			continue // no page
		}
		var links []map[string]string
		add := func(url string) {
			links = append(links, map[string]string{"path": "IMG@/src", "url": url, "alt": "a picture"})
		}
		for p := range rnd.IntN(5) {
			add(fmt.Sprintf("/img/%d-%d.png", i, p))
		}
		add("same.png")
		for kind, every := range map[string]int{"missing": 3, "broken": 4, "small": 5, "banner": 6, "large": 7, "logo": 8} {
			if i%every == 0 {
				add(fmt.Sprintf("http://img%d.test/%s-%d.png", i%5, kind, i))
			}
		}
		add(fmt.Sprintf("http://img%d.test/shared-%d.png", i%5, i/4))
		add("data:image/png;base64,xyz")
		add("x.gif")
		captures := 1 + i%2
		for c := range captures {
			offset += 1000
			w.record(&wat[i%files], i%files, url, when.Add(time.Duration(c)*time.Hour), offset, links)
		}
	}
	for i := range files {
		w.save(t, fmt.Sprintf("c4/c4-train.%05d.json.gz", i), c4[i].Bytes(), true)
		w.save(t, fmt.Sprintf("crawl-data/CC-MAIN-2099-01/segments/1/wat/x-%d.warc.wat.gz", i), wat[i].Bytes(), false)
	}
}

// record writes one WAT record, in a gzip member of its own.
func (w *world) record(out *bytes.Buffer, file int, url string, when time.Time, offset int, links []map[string]string) {
	body, _ := json.Marshal(map[string]any{
		"Container": map[string]any{"Filename": fmt.Sprintf("x-%d.warc.gz", file), "Offset": fmt.Sprint(offset), "Gzip-Metadata": map[string]string{"Deflate-Length": "900"}},
		"Envelope": map[string]any{
			"WARC-Header-Metadata": map[string]string{"WARC-Type": "response", "WARC-Target-URI": url, "WARC-Date": when.Format(time.RFC3339), "WARC-Payload-Digest": "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ"},
			"Payload-Metadata": map[string]any{"HTTP-Response-Metadata": map[string]any{
				"Response-Message": map[string]string{"Status": "200"}, "Headers": map[string]string{"Content-Type": "text/html"},
				"HTML-Metadata": map[string]any{"Links": links}}}}})
	z := gzip.NewWriter(out)
	fmt.Fprintf(z, "WARC/1.0\r\nWARC-Type: metadata\r\nWARC-Target-URI: %s\r\nWARC-Date: 2099-02-01T00:00:00Z\r\nWARC-Record-ID: <urn:uuid:%08d-0000-0000-0000-000000000000>\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n", url, offset, len(body), body)
	z.Close()
}

func (w *world) save(t testing.TB, name string, data []byte, pack bool) {
	t.Helper()
	if pack {
		var buf bytes.Buffer
		z := gzip.NewWriter(&buf)
		z.Write(data)
		z.Close()
		data = buf.Bytes()
	}
	path := filepath.Join(w.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// config is that of a build of the world into out.
func (w *world) config(out string) Config {
	s := DefaultSettings()
	s.Partitions, s.Parts = 4, 3
	s.Network.PerHostRate, s.Network.PerHost = 10000, 8
	s.Fetch.Attempts = 1
	rule, err := fetch.ParseConnectTo("*.test:80:" + strings.TrimPrefix(w.server.URL, "http://"))
	if err != nil {
		panic(err)
	}
	return Config{C4: []string{w.dir + "/c4/*.json.gz"}, WAT: []string{w.dir + "/crawl-data/*/segments/*/wat/*.wat.gz"}, Out: out, Settings: s,
		Embedder: fakeEmbedder{"a", "cpu"}, Workers: 2, Fetch: fetch.Options{ConnectTo: []fetch.ConnectRule{rule}}}
}

// product reads the files that must not depend on anything but the input.
func product(t testing.TB, out string) map[string]string {
	t.Helper()
	got := map[string]string{}
	for _, table := range []string{"docs", "rejects", "files"} {
		names, _ := filepath.Glob(filepath.Join(out, table, "*"))
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got[table+"/"+filepath.Base(name)] = string(data)
		}
	}
	if len(got) == 0 {
		t.Fatal("the run has no product")
	}
	return got
}

func sameProduct(t testing.TB, what string, got, want map[string]string) {
	t.Helper()
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s: %s differs (%d bytes, want %d)", what, name, len(got[name]), len(want[name]))
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d files, want %d", what, len(got), len(want))
	}
}

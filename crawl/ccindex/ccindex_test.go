package ccindex

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/parquet-go/parquet-go"

	"mmc4/crawl/weburl"
)

// countingFile counts range requests.
type countingFile struct {
	io.ReaderAt
	reads int
	bytes int64
}

func (c *countingFile) ReadAt(p []byte, off int64) (int, error) {
	c.reads++
	c.bytes += int64(len(p))
	return c.ReaderAt.ReadAt(p, off)
}

func (c *countingFile) Close() error { return nil }

func capture(i int) Capture {
	return Capture{SURT: fmt.Sprintf("test,a)/%05d", i/2), URL: fmt.Sprintf("http://a.test/%05d", i/2), FetchTime: time.Date(2019, 4, 20, 1, 2, i%60, 0, time.UTC), Status: 200 + i%3,
		MIME: "text/html", MIMEDetected: "text/html", Digest: fmt.Sprintf("DIGEST%d", i), WARCFilename: fmt.Sprintf("crawl-data/w-%d.warc.gz", i%7), Offset: int64(i * 100), Length: int64(50 + i)}
}

type row struct {
	Key       string    `parquet:"url_surtkey,dict"`
	URL       string    `parquet:"url"`
	Port      *int32    `parquet:"url_port,optional"`
	FetchTime time.Time `parquet:"fetch_time,timestamp(microsecond)"`
	Status    int16     `parquet:"fetch_status"`
	Digest    *string   `parquet:"content_digest,optional"`
	MIME      *string   `parquet:"content_mime_type,optional"`
	Detected  *string   `parquet:"content_mime_detected,optional"`
	Filename  string    `parquet:"warc_filename,dict"`
	Offset    int32     `parquet:"warc_record_offset"`
	Length    int32     `parquet:"warc_record_length"`
}

func table(t testing.TB, n, group int, pageSize int) *countingFile {
	var out bytes.Buffer
	w := parquet.NewGenericWriter[row](&out, parquet.MaxRowsPerRowGroup(int64(group)), parquet.PageBufferSize(pageSize), parquet.Compression(&parquet.Gzip))
	for i := range n {
		c := capture(i)
		r := row{Key: c.SURT, URL: c.URL, FetchTime: c.FetchTime, Status: int16(c.Status), Digest: &c.Digest, MIME: &c.MIME, Detected: &c.MIMEDetected, Filename: c.WARCFilename, Offset: int32(c.Offset), Length: int32(c.Length)}
		if i%5 == 0 {
			r.Digest = nil
		}
		if _, err := w.Write([]row{r}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &countingFile{ReaderAt: bytes.NewReader(out.Bytes())}
}

func size(c *countingFile) int64 { return c.ReaderAt.(*bytes.Reader).Size() }

func collect(t *testing.T, seq func(func(Capture, error) bool)) (out []Capture) {
	t.Helper()
	for c, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
	return out
}

func wantCaptures(n int, keys []string, digests bool) (out []Capture) {
	for i := range n {
		if c := capture(i); slices.Contains(keys, c.SURT) {
			if !digests && i%5 == 0 {
				c.Digest = ""
			}
			out = append(out, c)
		}
	}
	return out
}

var keySets = [][]string{
	nil, {"test,a)/"}, {"test,a)/00000"}, {"test,a)/00499"}, {"test,zzz)/"}, {"aaa", "test,a)/00003", "test,a)/00003x", "test,a)/00004", "test,a)/00250", "test,a)/00499", "zzz"},
}

func TestTable(t *testing.T) {
	for _, pageSize := range []int{200, 1 << 20} {
		f := table(t, 1000, 130, pageSize)
		tab, err := OpenTable(f, size(f), "t.parquet")
		if err != nil {
			t.Fatal(err)
		}
		if first, last := tab.Bounds(); first != "test,a)/00000" || last != "test,a)/00499" || tab.Rows() != 1000 {
			t.Errorf("bounds %q %q, %d rows", first, last, tab.Rows())
		}
		for _, keys := range keySets {
			got := collect(t, tab.Lookup(context.Background(), keys))
			if want := wantCaptures(1000, keys, false); !reflect.DeepEqual(got, want) {
				t.Errorf("pages of %d, %q:\ngot  %v\nwant %v", pageSize, keys, got, want)
			}
		}
	}
	f := table(t, 1000, 130, 1<<20)
	tab, _ := OpenTable(f, size(f), "t.parquet")
	before := f.bytes
	collect(t, tab.Lookup(context.Background(), []string{"test,a)/00003"}))
	if read := f.bytes - before; read > size(f)/3 {
		t.Errorf("one key read %d of %d bytes", read, size(f))
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, err := range tab.Lookup(ctx, []string{"test,a)/00003"}) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	}
}

func TestTableCorrupt(t *testing.T) {
	f := table(t, 200, 50, 500)
	data := make([]byte, size(f))
	f.ReadAt(data, 0)
	for i := 0; i < len(data); i += 23 {
		broken := bytes.Clone(data)
		broken[i] ^= 0x55
		tab, err := OpenTable(bytes.NewReader(broken), int64(len(broken)), "t.parquet")
		if err != nil {
			continue
		}
		for range tab.Lookup(context.Background(), []string{"test,a)/00003", "test,a)/00050"}) {
		}
	}
	if _, err := OpenTable(bytes.NewReader(data[:100]), 100, "t.parquet"); err == nil || !strings.Contains(err.Error(), "t.parquet") {
		t.Errorf("cut file: %v", err)
	}
}

// cdx makes an index of blocks of 7 lines in files of 5 blocks.
func cdx(n int, spoil func(i int, line string) string) map[string][]byte {
	files := map[string][]byte{}
	var cluster bytes.Buffer
	for block := 0; block*7 < n; block++ {
		name := fmt.Sprintf("cdx-%05d.gz", block/5)
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		for i := block * 7; i < min(n, block*7+7); i++ {
			c := capture(i)
			j, _ := json.Marshal(map[string]string{"url": c.URL, "mime": c.MIME, "mime-detected": c.MIMEDetected, "status": fmt.Sprint(c.Status), "digest": c.Digest, "length": fmt.Sprint(c.Length), "offset": fmt.Sprint(c.Offset), "filename": c.WARCFilename})
			fmt.Fprintln(z, spoil(i, fmt.Sprintf("%s %s %s", c.SURT, c.FetchTime.Format("20060102150405"), j)))
		}
		z.Close()
		first := capture(block * 7)
		fmt.Fprintf(&cluster, "%s %s\t%s\t%d\t%d\t%d\n", first.SURT, first.FetchTime.Format("20060102150405"), name, len(files[name]), packed.Len(), block+1)
		files[name] = append(files[name], packed.Bytes()...)
	}
	files["cluster.idx"] = cluster.Bytes()
	return files
}

func openCDX(files map[string][]byte, opened *[]string) *CDX {
	return NewCDX("idx", func(_ context.Context, file string) (File, int64, error) {
		data, ok := files[file]
		if !ok {
			return nil, 0, os.ErrNotExist
		}
		*opened = append(*opened, file)
		return &countingFile{ReaderAt: bytes.NewReader(data)}, int64(len(data)), nil
	})
}

func TestCDX(t *testing.T) {
	files := cdx(1000, func(_ int, line string) string { return line })
	var opened []string
	index := openCDX(files, &opened)
	for _, keys := range keySets {
		got := collect(t, index.Lookup(context.Background(), keys))
		if want := wantCaptures(1000, keys, true); !reflect.DeepEqual(got, want) {
			t.Errorf("%q:\ngot  %v\nwant %v", keys, got, want)
		}
	}
	opened = nil
	collect(t, index.Lookup(context.Background(), []string{"test,a)/00003"}))
	if want := []string{"cluster.idx", "cdx-00000.gz"}; !reflect.DeepEqual(opened, want) {
		t.Errorf("opened %q, want %q", opened, want)
	}
	var all []string
	for i := range 500 {
		all = append(all, capture(2*i).SURT)
	}
	if got := collect(t, index.Lookup(context.Background(), all)); len(got) != 1000 {
		t.Errorf("%d captures of all keys", len(got))
	}
}

func TestCDXFaults(t *testing.T) {
	keys := []string{"test,a)/00003", "test,a)/00004", "test,a)/00005"}
	var opened []string
	index := openCDX(cdx(100, func(i int, line string) string {
		switch i {
		case 6:
			return strings.Replace(line, `"offset"`, `"off"`, 1)
		case 8:
			return line[:40]
		}
		return line
	}), &opened)
	good, bad := 0, 0
	for _, err := range index.Lookup(context.Background(), keys) {
		if errors.Is(err, ErrBadRow) {
			bad++
		} else if err != nil {
			t.Error(err)
		} else {
			good++
		}
	}
	if good != 4 || bad != 2 {
		t.Errorf("%d good, %d bad", good, bad)
	}
	for name, spoil := range map[string]func(map[string][]byte){
		"no cluster":  func(f map[string][]byte) { delete(f, "cluster.idx") },
		"bad cluster": func(f map[string][]byte) { f["cluster.idx"] = append([]byte("x\n"), f["cluster.idx"]...) },
		"no file":     func(f map[string][]byte) { delete(f, "cdx-00000.gz") },
		"cut file":    func(f map[string][]byte) { f["cdx-00000.gz"] = f["cdx-00000.gz"][:20] },
		"not gzip":    func(f map[string][]byte) { f["cdx-00000.gz"] = bytes.Repeat([]byte("x"), 10000) },
	} {
		files := cdx(100, func(_ int, line string) string { return line })
		spoil(files)
		var last error
		for _, err := range openCDX(files, &opened).Lookup(context.Background(), keys) {
			last = err
		}
		if last == nil || !strings.HasPrefix(last.Error(), "idx: ") {
			t.Errorf("%s: %v", name, last)
		}
	}
}

func warcFile(n int) (data []byte, captures []Capture) {
	var out bytes.Buffer
	for i := range n {
		start := out.Len()
		z := gzip.NewWriter(&out)
		body := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\npage %d %s", i, strings.Repeat("x", i*37%900))
		fmt.Fprintf(z, "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.test/%d\r\nContent-Type: application/http\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n", i, len(body), body)
		z.Close()
		captures = append(captures, Capture{URL: fmt.Sprintf("http://a.test/%d", i), WARCFilename: "w.warc.gz", Offset: int64(start), Length: int64(out.Len() - start)})
	}
	return out.Bytes(), captures
}

func TestReadRecords(t *testing.T) {
	data, captures := warcFile(50)
	mixed := append(slices.Clone(captures[25:]), captures[:25]...)
	for _, gap := range []int64{1, 1 << 20} {
		f := &countingFile{ReaderAt: bytes.NewReader(data)}
		i := 0
		for got := range ReadRecords(context.Background(), f, mixed, ReadOptions{MaxGap: gap}) {
			if got.Err != nil {
				t.Fatal(got.Err)
			}
			body := string(got.Record.HTTP().Body)
			if got.Capture != captures[i] || !strings.HasPrefix(body, fmt.Sprintf("page %d ", i)) || got.Record.Offset != captures[i].Offset || got.Record.Length != captures[i].Length {
				t.Errorf("record %d: %v %q", i, got.Capture, body)
			}
			i++
		}
		if i != 50 || f.reads != 1 {
			t.Errorf("gap %d: %d records by %d reads", gap, i, f.reads)
		}
	}
	f := &countingFile{ReaderAt: bytes.NewReader(data)}
	n := 0
	for got := range ReadRecords(context.Background(), f, []Capture{captures[0], captures[40], captures[41]}, ReadOptions{MaxGap: 100}) {
		if got.Err != nil {
			t.Error(got.Err)
		}
		n++
	}
	if n != 3 || f.reads != 2 {
		t.Errorf("%d records by %d reads", n, f.reads)
	}
	broken := []Capture{captures[1], captures[2], captures[3], captures[4], captures[49]}
	broken[0].Length = 0
	broken[1].Offset += 3
	broken[2].URL = "http://b.test/"
	broken[4].Length += 10
	var errs []string
	for got := range ReadRecords(context.Background(), bytes.NewReader(data), broken, ReadOptions{}) {
		if got.Err == nil {
			errs = append(errs, "")
		} else {
			errs = append(errs, got.Err.Error())
		}
	}
	for i, want := range []string{"length 0", "offset", "not of http://b.test/", "", "ends before"} {
		if !strings.Contains(errs[i], want) || (want == "") != (errs[i] == "") {
			t.Errorf("fault %d: %q, want %q", i, errs[i], want)
		}
	}
}

// Both indexes of a made mini crawl give the place of every capture that its truth knows.
func TestMiniCrawl(t *testing.T) {
	root := os.Getenv("MMC4_MINICRAWL")
	if root == "" {
		t.Skip("MMC4_MINICRAWL is not set")
	}
	type place struct {
		URL, File string
		Offset    int64
		Length    int64
		Status    *int
		Digest    *string
		Timestamp time.Time
	}
	f, err := os.Open(filepath.Join(root, "truth", "candidates.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	truth := map[string]map[string]place{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var p place
		if err := json.Unmarshal(lines.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		crawl := strings.Split(p.File, "/")[1]
		if truth[crawl] == nil {
			truth[crawl] = map[string]place{}
		}
		truth[crawl][fmt.Sprint(p.File, p.Offset)] = p
	}
	for crawl, places := range truth {
		folder := filepath.Join(root, "cc-index/collections", crawl, "indexes")
		index := NewCDX(crawl, func(_ context.Context, name string) (File, int64, error) {
			f, err := os.Open(filepath.Join(folder, name))
			if err != nil {
				return nil, 0, err
			}
			info, err := f.Stat()
			return f, info.Size(), err
		})
		files, _ := filepath.Glob(filepath.Join(root, "cc-index/table/cc-main/warc/crawl="+crawl, "subset=*/*.parquet"))
		var keys []string
		var fromTable []Capture
		for _, name := range files {
			f, err := os.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			info, _ := f.Stat()
			tab, err := OpenTable(f, info.Size(), name)
			if err != nil {
				t.Fatal(err)
			}
			for group := range tab.file.RowGroups() {
				if err := tab.eachPage(context.Background(), group, func(vs []parquet.Value) {
					for _, v := range vs {
						keys = append(keys, string(v.ByteArray()))
					}
				}); err != nil && tab.Rows() > 0 {
					t.Fatal(err)
				}
			}
			f.Close()
		}
		slices.Sort(keys)
		keys = slices.Compact(keys)
		for _, name := range files {
			f, _ := os.Open(name)
			info, _ := f.Stat()
			tab, _ := OpenTable(f, info.Size(), name)
			fromTable = append(fromTable, collect(t, tab.Lookup(context.Background(), keys))...)
			f.Close()
		}
		fromCDX := collect(t, index.Lookup(context.Background(), keys))
		order := func(a, b Capture) int {
			return strings.Compare(fmt.Sprint(a.WARCFilename, a.Offset), fmt.Sprint(b.WARCFilename, b.Offset))
		}
		slices.SortFunc(fromTable, order)
		slices.SortFunc(fromCDX, order)
		if len(fromTable) != len(fromCDX) || len(fromTable) != len(places) {
			t.Errorf("%s: %d captures by the table, %d by CDX, %d in the truth", crawl, len(fromTable), len(fromCDX), len(places))
		}
		for i, c := range fromTable {
			if i < len(fromCDX) && !reflect.DeepEqual(c, fromCDX[i]) {
				t.Errorf("table %+v\nCDX   %+v", c, fromCDX[i])
			}
			if key := weburl.SURT(c.URL); key != c.SURT {
				t.Errorf("SURT(%q) = %q, the index has %q", c.URL, key, c.SURT)
			}
			p := places[fmt.Sprint(c.WARCFilename, c.Offset)]
			if c.URL != p.URL || c.Length != p.Length || !c.FetchTime.Equal(p.Timestamp) || p.Status != nil && c.Status != *p.Status || p.Digest != nil && "sha1:"+c.Digest != *p.Digest {
				t.Errorf("capture %+v\ntruth   %+v", c, p)
			}
		}
		byFile := map[string][]Capture{}
		for _, c := range fromTable {
			byFile[c.WARCFilename] = append(byFile[c.WARCFilename], c)
		}
		for name, captures := range byFile {
			f, err := os.Open(filepath.Join(root, name))
			if err != nil {
				t.Fatal(err)
			}
			for got := range ReadRecords(context.Background(), f, captures, ReadOptions{}) {
				if got.Err != nil {
					t.Error(got.Err)
				}
			}
			f.Close()
		}
	}
}

func TestCDXBlockOutsideItsFile(t *testing.T) {
	var opened []string
	for _, place := range []string{"0\t1073741824", "9223372036854775000\t900"} {
		index := openCDX(map[string][]byte{"cluster.idx": []byte("test,a)/ 20190420\tcdx-00000.gz\t" + place + "\t1\n"), "cdx-00000.gz": []byte("short")}, &opened)
		n, last := 0, error(nil)
		for _, err := range index.Lookup(context.Background(), []string{"test,a)/"}) {
			n, last = n+1, err
		}
		if n != 1 || last == nil || !strings.Contains(last.Error(), "has 5 bytes") {
			t.Errorf("%q: %d, %v", place, n, last)
		}
	}
}

func FuzzCDX(f *testing.F) {
	c := capture(3)
	f.Add([]byte(c.SURT+" 20190420010203 {\"url\":\"u\",\"filename\":\"f\",\"offset\":\"1\",\"length\":2}\n"), []byte("test,a)/ 20190420\tcdx-00000.gz\t0\t99\t1\n"))
	f.Fuzz(func(t *testing.T, lines, cluster []byte) {
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		z.Write(lines)
		z.Close()
		var opened []string
		index := openCDX(map[string][]byte{"cluster.idx": cluster, "cdx-00000.gz": packed.Bytes()}, &opened)
		for range index.Lookup(context.Background(), []string{c.SURT, "test,b)/"}) {
		}
	})
}

func FuzzTable(f *testing.F) {
	small := table(f, 20, 10, 200)
	data := make([]byte, size(small))
	small.ReadAt(data, 0)
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		defer func() {
			if runtime.ReadMemStats(&after); after.TotalAlloc-before.TotalAlloc > 256<<20 { // what the bytes announce is not believed
				t.Fatalf("%d MB for %d bytes", (after.TotalAlloc-before.TotalAlloc)>>20, len(data))
			}
		}()
		tab, err := OpenTable(bytes.NewReader(data), int64(len(data)), "fuzz")
		if err != nil {
			return
		}
		for range tab.Lookup(context.Background(), []string{"test,a)/00001", "test,a)/00007"}) {
		}
	})
}

package demo

// WARC files as Common Crawl writes them: a gzip member a record, request and response, and their WAT.

import (
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// capture is one answer that the crawl stored.
type capture struct {
	url      string
	when     time.Time
	status   int
	location string
	mime     string
	page     *markup // nil for answers without a page
	body     string

	// set when it is written
	filename       string // crawl-data/...
	offset, length int64
	digest         string
}

// archive is a WARC file and its WAT while they are written.
type archive struct {
	path      string // crawl-data/.../warc/NAME.warc.gz
	warc, wat bytes.Buffer
	infoID    string
}

const crawlName = "CC-MAIN-2099-19"

func sha1Digest(data []byte) string {
	sum := sha1.Sum(data)
	return base32.StdEncoding.EncodeToString(sum[:])
}

// recordID is a UUID made of the record's own words, so that the same web has the same bytes.
func recordID(parts ...string) string {
	sum := sha1.Sum([]byte(strings.Join(parts, "\x00")))
	h := hex.EncodeToString(sum[:16])
	return fmt.Sprintf("<urn:uuid:%s-%s-5%s-a%s-%s>", h[:8], h[8:12], h[13:16], h[17:20], h[20:32])
}

func zulu(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// newArchive begins a WARC file and its WAT with their warcinfo records.
func newArchive(path string) *archive {
	a := &archive{path: path, infoID: recordID("warcinfo", path)}
	name := path[strings.LastIndexByte(path, '/')+1:]
	info := "isPartOf: " + crawlName + "\r\npublisher: mmc4\r\ndescription: A drawn web for demonstration\r\nsoftware: mmc4 demo\r\nrobots: classic\r\nformat: WARC File Format 1.0\r\n\r\n"
	head := fields{{"WARC-Type", "warcinfo"}, {"WARC-Date", zulu(crawlStart)}, {"WARC-Filename", name}, {"WARC-Record-ID", a.infoID}, {"Content-Type", "application/warc-fields"}}
	a.write(head, []byte(info), map[string]any{"Actual-Content-Type": "application/warc-fields", "WARC-Info-Metadata": map[string]string{"isPartOf": crawlName, "software": "mmc4 demo"}}, name)
	return a
}

// fields are WARC headers in their order.
type fields [][2]string

// member packs one record: headers, block, gzip.
func member(head fields, block []byte) (packed, plain []byte) {
	var b bytes.Buffer
	b.WriteString("WARC/1.0\r\n")
	for _, f := range head {
		b.WriteString(f[0] + ": " + f[1] + "\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n", len(block))
	b.Write(block)
	b.WriteString("\r\n\r\n")
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	z.Write(b.Bytes()) // to memory: cannot fail
	z.Close()
	return out.Bytes(), b.Bytes()
}

// write appends a record to the WARC, and what a WAT says of it to the WAT. target is the WAT record's WARC-Target-URI.
func (a *archive) write(head fields, block []byte, payload map[string]any, target string) (offset, length int64) {
	head = append(head, [2]string{"WARC-Block-Digest", "sha1:" + sha1Digest(block)})
	packed, plain := member(head, block)
	offset, length = int64(a.warc.Len()), int64(len(packed))
	a.warc.Write(packed)
	names := map[string]string{"Content-Length": strconv.Itoa(len(block))}
	var id string
	for _, f := range head {
		names[f[0]] = f[1]
		if f[0] == "WARC-Record-ID" {
			id = f[1]
		}
	}
	payload["Actual-Content-Length"] = strconv.Itoa(len(block))
	payload["Block-Digest"] = "sha1:" + sha1Digest(block)
	payload["Trailing-Slop-Length"] = "4"
	told, _ := json.Marshal(map[string]any{ // strings and maps only: cannot fail
		"Container": map[string]any{"Filename": a.path[strings.LastIndexByte(a.path, '/')+1:], "Compressed": true, "Offset": strconv.FormatInt(offset, 10),
			"Gzip-Metadata": map[string]string{"Deflate-Length": strconv.FormatInt(length, 10), "Header-Length": "10", "Footer-Length": "8",
				"Inflated-Length": strconv.Itoa(len(plain)), "Inflated-CRC": strconv.Itoa(int(int32(crc32.ChecksumIEEE(plain))))}},
		"Envelope": map[string]any{"Format": "WARC/1.0", "WARC-Header-Length": strconv.Itoa(len(plain) - len(block) - 4), "WARC-Header-Metadata": names, "Payload-Metadata": payload},
	})
	if a.wat.Len() == 0 {
		info := "Software-Info: mmc4 demo\r\nExtracted-Date: " + zulu(crawlStart.AddDate(0, 0, 20)) + "\r\nformat: WARC File Format 1.0\r\n\r\n"
		packed, _ := member(fields{{"WARC-Type", "warcinfo"}, {"WARC-Date", zulu(crawlStart.AddDate(0, 0, 20))}, {"WARC-Filename", watName(a.path)},
			{"WARC-Record-ID", recordID("wat", a.path)}, {"Content-Type", "application/warc-fields"}}, []byte(info))
		a.wat.Write(packed)
	}
	packed, _ = member(fields{{"WARC-Type", "metadata"}, {"WARC-Target-URI", target}, {"WARC-Date", zulu(crawlStart.AddDate(0, 0, 20))},
		{"WARC-Record-ID", recordID("wat", a.path, strconv.FormatInt(offset, 10))}, {"WARC-Refers-To", id}, {"Content-Type", "application/json"}}, told)
	a.wat.Write(packed)
	return offset, length
}

func watName(warcPath string) string {
	name := warcPath[strings.LastIndexByte(warcPath, '/')+1:]
	return strings.TrimSuffix(name, ".gz") + ".wat.gz"
}

// add writes the request and the response of a capture.
func (a *archive) add(c *capture) {
	host, path, _ := strings.Cut(strings.TrimPrefix(c.url, "http://"), "/")
	key := c.url + zulu(c.when)
	request := "GET /" + path + " HTTP/1.1\r\nUser-Agent: mmc4-demo/1.0\r\nAccept: text/html\r\nHost: " + host + "\r\nConnection: Keep-Alive\r\n\r\n"
	common := fields{{"WARC-Date", zulu(c.when)}, {"WARC-Warcinfo-ID", a.infoID}, {"WARC-IP-Address", "192.0.2.1"}, {"WARC-Target-URI", c.url}}
	a.write(append(fields{{"WARC-Type", "request"}, {"WARC-Record-ID", recordID("request", key)}, {"Content-Type", "application/http; msgtype=request"}}, common...), []byte(request),
		map[string]any{"Actual-Content-Type": "application/http; msgtype=request", "HTTP-Request-Metadata": map[string]any{"Request-Message": map[string]string{"Method": "GET", "Path": "/" + path, "Version": "HTTP/1.1"}}}, c.url)

	body := c.body
	if c.page != nil {
		body = c.page.body
	}
	reason := http.StatusText(c.status)
	headers := [][2]string{{"Date", c.when.Format(http.TimeFormat)}, {"Server", "demo"}, {"Content-Type", c.mime}, {"Content-Length", strconv.Itoa(len(body))}}
	if c.location != "" {
		headers = append(headers, [2]string{"Location", c.location})
	}
	var block strings.Builder
	fmt.Fprintf(&block, "HTTP/1.1 %d %s\r\n", c.status, reason)
	told := map[string]string{}
	for _, h := range headers {
		block.WriteString(h[0] + ": " + h[1] + "\r\n")
		told[h[0]] = h[1]
	}
	block.WriteString("\r\n")
	headLength := block.Len()
	block.WriteString(body)
	c.digest = sha1Digest([]byte(body))
	response := map[string]any{"Response-Message": map[string]string{"Status": strconv.Itoa(c.status), "Version": "HTTP/1.1", "Reason": reason}, "Headers": told,
		"Headers-Length": strconv.Itoa(headLength), "Entity-Length": strconv.Itoa(len(body)), "Entity-Digest": "sha1:" + c.digest, "Entity-Trailing-Slop-Length": "0"}
	if c.page != nil {
		top := map[string]any{"Title": title(body), "Link": []link{stylesheet}}
		if c.page.base != "" {
			top["Base"] = c.page.base
		}
		response["HTML-Metadata"] = map[string]any{"Head": top, "Links": c.page.links}
	}
	head := append(fields{{"WARC-Type", "response"}, {"WARC-Record-ID", recordID("response", key)}, {"Content-Type", "application/http; msgtype=response"},
		{"WARC-Concurrent-To", recordID("request", key)}, {"WARC-Payload-Digest", "sha1:" + c.digest}, {"WARC-Identified-Payload-Type", "text/html"}}, common...)
	c.filename = a.path
	c.offset, c.length = a.write(head, []byte(block.String()), map[string]any{"Actual-Content-Type": "application/http; msgtype=response", "HTTP-Response-Metadata": response}, c.url)
}

// title is the text of <title>.
func title(body string) string {
	_, rest, _ := strings.Cut(body, "<title>")
	text, _, _ := strings.Cut(rest, "</title>")
	return text
}

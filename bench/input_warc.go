package bench

// A WARC file of made-up pages as Common Crawl stores them: request, response and metadata, a gzip member each. The pages
// have what pages have: styles, scripts, menus, attributes, comments, entities, relative and absolute links.

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"html"
	"math/rand/v2"
	"strings"
)

// drawWARC gives the file and the bytes of all pages in it.
func drawWARC(rng *rand.Rand, pages int) (file []byte, size int) {
	p := newProse(rng)
	var out bytes.Buffer
	for i := range pages {
		url := fmt.Sprintf("https://www.%s.test/%s/%d.html", p.words[1000+i], p.word(), i)
		body := p.page(url)
		size += len(body)
		head := "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nServer: nginx\r\nContent-Length: " + fmt.Sprint(len(body)) + "\r\n\r\n"
		record(&out, "request", url, "application/http; msgtype=request", "GET / HTTP/1.1\r\nUser-Agent: CCBot/2.0\r\nAccept: text/html\r\n\r\n", i)
		record(&out, "response", url, "application/http; msgtype=response", head+body, i)
		record(&out, "metadata", url, "application/warc-fields", "fetchTimeMs: 312\r\ncharset-detected: UTF-8\r\n", i)
	}
	return out.Bytes(), size
}

func record(out *bytes.Buffer, kind, url, contentType, block string, i int) {
	z := gzip.NewWriter(out)
	fmt.Fprintf(z, "WARC/1.0\r\nWARC-Type: %s\r\nWARC-Date: 2026-11-24T00:%02d:%02dZ\r\nWARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-%012d>\r\n"+
		"Content-Length: %d\r\nContent-Type: %s\r\nWARC-Target-URI: %s\r\n\r\n%s\r\n\r\n", kind, i/60%60, i%60, i, len(block), contentType, url, block)
	z.Close() // into memory: cannot fail
}

func (p *prose) page(url string) string {
	var b strings.Builder
	title := html.EscapeString(p.text(1))
	fmt.Fprintf(&b, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>%s</title>\n<meta property=\"og:title\" content=\"%s\">\n", title, title)
	fmt.Fprintf(&b, "<link rel=\"canonical\" href=\"%s\">\n<style>\n", url)
	for range 60 {
		fmt.Fprintf(&b, ".%s-%s > a:hover, #%s { margin: %dpx 0; color: #%06x; background: url(/i/%s.png); }\n", p.word(), p.word(), p.word(), p.IntN(40), p.IntN(1<<24), p.word())
	}
	b.WriteString("</style>\n<script>\nwindow.dataLayer = window.dataLayer || [];\n")
	for range 50 {
		fmt.Fprintf(&b, "if (a.%s < %d && b.%s) { document.write('<img src=\"/t/%s.gif\">'); } // %s\n", p.word(), p.IntN(999), p.word(), p.word(), p.word())
	}
	b.WriteString("</script>\n</head>\n<body class=\"post single\">\n<nav><ul>\n")
	for range 80 {
		fmt.Fprintf(&b, "<li class=\"menu-item menu-item-%d\"><a href=\"/%s/%s/\" title=\"%s\"><span>%s</span></a></li>\n", p.IntN(9999), p.word(), p.word(), p.word(), capital(p.word()))
	}
	b.WriteString("</ul></nav>\n<!-- content starts -->\n<main>\n")
	for range 40 + p.IntN(30) {
		fmt.Fprintf(&b, "<div class=\"block %s\" data-id=\"%d\" style=\"padding:%dpx\">\n", p.word(), p.IntN(1<<20), p.IntN(30))
		switch p.IntN(6) {
		case 0:
			fmt.Fprintf(&b, "<h2 id=\"%s\">%s</h2>\n", p.word(), html.EscapeString(capital(p.word())))
		case 1:
			b.WriteString("<table><tr><td>1<td>2<tr><td>3<td>4</table>\n")
		}
		if p.IntN(3) == 0 {
			src := pick(p.Rand, []string{"/uploads/2019/%s-%d.jpg", "../img/%s-%d.png", "https://cdn.example.test/%s/%d.jpeg", "//img.example.test/%s-%d.gif", "%s-%d.jpg?w=300&amp;h=200"})
			fmt.Fprintf(&b, "<figure><a href=\"/%s\"><img class=\"size-full\" src=\""+src+"\" alt=\"%s\" width=%d height=\"%d\" /></a></figure>\n",
				p.word(), p.word(), p.IntN(9999), html.EscapeString(p.word()), 100+p.IntN(900), 100+p.IntN(900))
		}
		fmt.Fprintf(&b, "<p>%s <a href=\"https://example.test/%s?x=1&amp;y=2\">%s</a> &copy; %s</p>\n</div>\n", html.EscapeString(p.text(3)), p.word(), p.word(), html.EscapeString(p.text(2)))
	}
	b.WriteString("</main>\n<footer><p>&nbsp;</p></footer>\n</body>\n</html>\n")
	return b.String()
}

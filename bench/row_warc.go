package bench

// Image links of a WARC file: gunzip, WARC, HTTP, HTML, URL resolution.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mmc4/crawl/page"
	"mmc4/crawl/warc"
	"mmc4/crawl/weburl"
)

var warcRows = []Row{
	{Name: "warc.drawn", Input: "200 made-up pages of about 60 KB, WARC", Peer: "warcio + lxml", Bar: 5, Open: openDrawnWARC},
	{Name: "warc.pages", Input: "the real pages of the mini crawl, WARC", Peer: "warcio + lxml", Bar: 5, Open: openRealWARC},
}

// pageLinks are a page's URL and its images'.
type pageLinks struct {
	url    string
	images []string
}

func linksOf(path string) (pages []pageLinks, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := warc.NewReader(f, path)
	defer r.Close()
	for {
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			return pages, nil
		}
		if err != nil {
			return nil, err
		}
		if record.Type != "response" {
			continue
		}
		message := record.HTTP()
		contentType := message.Header.Get("Content-Type")
		if message.Status != 200 || !strings.Contains(contentType, "html") {
			continue
		}
		body, err := message.Content(64 << 20)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", record.TargetURI(), err)
		}
		p := pageLinks{url: record.TargetURI()}
		for _, c := range page.FromHTML(p.url, contentType, body, page.Src) {
			if c.URL != "" {
				p.images = append(p.images, c.URL)
			}
		}
		pages = append(pages, p)
	}
}

func openDrawnWARC(_ context.Context, lab *Lab) (*Contest, error) {
	file, html := drawWARC(lab.Rand("warc"), 200)
	path, err := lab.Write("drawn.warc.gz", file)
	if err != nil {
		return nil, err
	}
	return openLinks(lab, path, html, 1)
}

func openRealWARC(_ context.Context, lab *Lab) (*Contest, error) {
	crawl := os.Getenv("MMC4_MINICRAWL")
	if crawl == "" {
		return nil, Unavailable{"no mini crawl: `make test-crawl` makes one; name its folder in MMC4_MINICRAWL"}
	}
	files, err := filepath.Glob(filepath.Join(crawl, "crawl-data", "*", "segments", "*", "warc", "*.warc.gz"))
	if err != nil || len(files) == 0 {
		return nil, Unavailable{"no WARC files below MMC4_MINICRAWL=" + crawl}
	}
	slices.Sort(files)
	var all []byte // gzip members follow each other
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		all = append(all, data...)
	}
	path, err := lab.Write("pages.warc.gz", all)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	html := 0
	r := warc.NewReader(f, path)
	defer r.Close()
	for {
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		html += len(record.Block)
	}
	return openLinks(lab, path, html, 0.95)
}

// plain is a URL without what Python's urljoin does otherwise than browsers: empty path segments, letters left as they are.
func plain(url string) string {
	if href, why := weburl.Resolve(url, "", url); why == "" {
		url = href
	}
	scheme, rest, _ := strings.Cut(url, "://")
	for strings.Contains(rest, "//") {
		rest = strings.ReplaceAll(rest, "//", "/")
	}
	return scheme + "://" + rest
}

// openLinks compares on a file with so many bytes of pages. At least the share of pages must have the same links: on real
// pages an HTML4 parser and Python's urljoin read some otherwise than browsers do.
func openLinks(lab *Lab, path string, bytes int, share float64) (*Contest, error) {
	peer, err := lab.Python("warc_peer.py", args{"warc": path})
	if err != nil {
		return nil, err
	}
	ours := func() error {
		_, err := linksOf(path)
		return err
	}
	agree := func() (string, error) {
		var theirs [][]any
		if err := peer.OutputJSON(lab, &theirs); err != nil {
			return "", err
		}
		mine, err := linksOf(path)
		if err != nil {
			return "", err
		}
		if len(mine) != len(theirs) {
			return "", fmt.Errorf("outputs differ: %d pages, the peer has %d", len(mine), len(theirs))
		}
		equal, links, first := 0, 0, ""
		for i, p := range mine {
			their := []string{}
			list, _ := theirs[i][1].([]any)
			for _, l := range list {
				their = append(their, plain(fmt.Sprint(l)))
			}
			for j, u := range p.images {
				p.images[j] = plain(u)
			}
			links += len(their)
			if p.url == theirs[i][0] && slices.Equal(p.images, their) {
				equal++
			} else if first == "" {
				first = fmt.Sprintf("%s: ours %.300q, the peer's %.300q", p.url, fmt.Sprint(p.images), fmt.Sprint(their))
			}
		}
		words := fmt.Sprintf("%d of %d pages with the same links, %d links", equal, len(mine), links)
		if float64(equal) < share*float64(len(mine)) {
			return "", fmt.Errorf("outputs differ: %s; first %s", words, first)
		}
		return words, nil
	}
	return &Contest{Unit: "MB/s", Work: float64(bytes) / 1e6, Ours: self{run: ours}, Theirs: peer, Agree: agree}, nil
}

package wat

// Pages out of WAT files.

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"path"
	"strings"
	"time"

	"mmc4/crawl/internal/htmlattr"
	"mmc4/crawl/warc"
	"mmc4/internal/jsonscan"
)

// Page is a capture as a WAT tells of it.
type Page struct {
	URL  string    // WARC-Target-URI of the capture
	Date time.Time // WARC-Date of the capture, UTC

	WARCFilename string // crawl-data/.../warc/....warc.gz, from the WAT's own name; see WARCName
	Container    string // Container.Filename as written
	Offset       int64
	Length       int64  // of the gzip member in the WARC file
	Digest       string // base32 SHA-1 of the payload, without "sha1:"; "" when there is none

	Status      int    // HTTP status; 0 when there is none
	ContentType string // the Content-Type header as it was sent

	HTML  bool   // the record has HTML metadata
	Base  string // Head.Base; "" when there is none
	Links []Link // in the WAT's order
}

// Link is one element of Links. A nil field is absent.
type Link struct {
	Path  string // IMG@/src, A@/href, ...
	URL   *string
	Alt   *string
	Title *string
}

// Record is one metadata record of a WAT file: a page, or the reason why it cannot be read.
type Record struct {
	Offset int64     // of the record in the WAT file
	Type   string    // of the envelope: response, request, metadata, ...
	Date   time.Time // of the WAT record: when the metadata were extracted
	Page   Page
	Bad    string // empty for a good record
}

// Options say what Read gives.
type Options struct {
	AllTypes bool // also request, metadata, warcinfo, ... envelopes
	AllLinks bool // also links that are not IMG@/src
	Entities Entities
}

// ImagePath is the path of the links that are images' src attributes.
const ImagePath = "IMG@/src"

// Read yields the records of a WAT file in order; name is its path (crawl-data/CC-MAIN-.../wat/....warc.wat.gz). A
// record that cannot be read, or a damaged part of the file, has its reason in Bad; after an error nothing more comes. A WAT
// that is cut gives its whole records, then the error.
func Read(r io.Reader, name string, opt Options) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		w := warc.NewReader(r, name)
		defer w.Close()
		var skipped []Record
		w.OnSkip = func(offset int64, reason string) {
			skipped = append(skipped, Record{Offset: offset, Bad: fmt.Sprintf("offset %d: %s", offset, reason)})
		}
		p := parser{allLinks: opt.AllLinks, unescape: opt.Entities == EntitiesUnescape, warcName: WARCName(name)}
		decided := opt.Entities != EntitiesByCrawl
		if !decided {
			p.unescape, decided = keepsEntities(name)
		}
		for {
			rec, err := w.Next()
			for _, bad := range skipped {
				if !yield(bad, nil) {
					return
				}
			}
			skipped = skipped[:0]
			if err != nil {
				if !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
					yield(Record{}, err)
				}
				return
			}
			if !decided {
				p.unescape, decided = keepsEntitiesByInfo(rec), true
			}
			if rec.Type != "metadata" {
				continue
			}
			out := Record{Offset: rec.Offset, Date: rec.Date()}
			if rec.Short || rec.Cut {
				out.Bad = "the record is cut"
			} else {
				out.Type, out.Page, out.Bad = p.record(rec.Block)
			}
			if out.Bad != "" {
				out.Bad = fmt.Sprintf("%s at offset %d: %s", rec.TargetURI(), rec.Offset, out.Bad)
			} else if out.Type != "response" && !opt.AllTypes {
				continue
			}
			if !yield(out, nil) {
				return
			}
		}
	}
}

// WARCName turns the path of a WAT file into that of its WARC file: /wat/ -> /warc/, .wat.gz -> .gz. What stands before
// crawl-data/ is cut off; a path without it gives the file's name alone, so that no name depends on where a file lies.
func WARCName(watPath string) string {
	name := watPath
	if i := strings.LastIndex("/"+name, "/crawl-data/"); i >= 0 {
		name = name[i:]
	} else {
		name = path.Base(name)
	}
	dir, file := path.Split(name)
	if i := strings.LastIndex(dir, "/wat/"); i >= 0 {
		dir = dir[:i] + "/warc/" + dir[i+len("/wat/"):]
	}
	if base, ok := strings.CutSuffix(file, ".wat.gz"); ok {
		file = base + ".gz"
	} else if base, ok := strings.CutSuffix(file, ".wat"); ok {
		file = base
	}
	return dir + file
}

// parser reads the JSON of one record after the other.
type parser struct {
	s        jsonscan.Scanner
	allLinks bool
	unescape bool
	warcName string
}

// record reads one envelope; bad says why it could not.
func (p *parser) record(block []byte) (kind string, page Page, bad string) {
	s := &p.s
	s.Reset(block)
	page.WARCFilename = p.warcName
	if s.Kind() != '{' {
		return "", page, "not a JSON object"
	}
	for s.Enter('{'); s.More('}'); {
		switch string(s.Key()) {
		case "Container":
			p.container(&page)
		case "Envelope":
			if s.Enter('{') {
				kind = p.envelope(&page)
			}
		default:
			s.Skip()
		}
	}
	if err := s.End(); err != nil {
		return "", Page{}, "broken JSON: " + err.Error()
	}
	switch {
	case kind == "":
		return "", Page{}, "no WARC-Type in the envelope"
	case kind != "response":
		return kind, page, ""
	case page.URL == "":
		return "", Page{}, "no WARC-Target-URI in the envelope"
	case page.Date.IsZero():
		return "", Page{}, "no valid WARC-Date in the envelope"
	case page.Offset < 0 || page.Length < 0:
		return "", Page{}, "a negative offset or length in the container"
	}
	return kind, page, ""
}

func (p *parser) container(page *Page) {
	s := &p.s
	if !s.Enter('{') {
		return
	}
	for s.More('}') {
		switch string(s.Key()) {
		case "Filename":
			page.Container, _ = s.String()
		case "Offset":
			page.Offset, _ = s.Int()
		case "Gzip-Metadata":
			if s.Enter('{') {
				for s.More('}') {
					if string(s.Key()) == "Deflate-Length" {
						page.Length, _ = s.Int()
					} else {
						s.Skip()
					}
				}
			}
		default:
			s.Skip()
		}
	}
}

func (p *parser) envelope(page *Page) (kind string) {
	s := &p.s
	for s.More('}') {
		switch string(s.Key()) {
		case "WARC-Header-Metadata":
			if !s.Enter('{') {
				continue
			}
			for s.More('}') {
				switch string(s.Key()) {
				case "WARC-Type":
					kind = strings.ToLower(p.oneString())
				case "WARC-Target-URI":
					page.URL = strings.TrimSuffix(strings.TrimPrefix(p.oneString(), "<"), ">")
				case "WARC-Date":
					if t, err := time.Parse(time.RFC3339, p.oneString()); err == nil {
						page.Date = t.UTC()
					}
				case "WARC-Payload-Digest":
					page.Digest = digest(p.oneString())
				default:
					s.Skip()
				}
			}
		case "Payload-Metadata":
			if !s.Enter('{') {
				continue
			}
			for s.More('}') {
				if string(s.Key()) == "HTTP-Response-Metadata" {
					p.response(page)
				} else {
					s.Skip()
				}
			}
		default:
			s.Skip()
		}
	}
	return kind
}

func (p *parser) response(page *Page) {
	s := &p.s
	if !s.Enter('{') {
		return
	}
	for s.More('}') {
		switch string(s.Key()) {
		case "Response-Message":
			if s.Enter('{') {
				for s.More('}') {
					if string(s.Key()) == "Status" {
						status, _ := s.Int()
						page.Status = int(status)
					} else {
						s.Skip()
					}
				}
			}
		case "Headers":
			if s.Enter('{') {
				for s.More('}') {
					if key := s.Key(); len(key) == len("Content-Type") && strings.EqualFold(string(key), "Content-Type") {
						page.ContentType = p.oneString()
					} else {
						s.Skip()
					}
				}
			}
		case "HTML-Metadata":
			p.html(page)
		default:
			s.Skip()
		}
	}
}

func (p *parser) html(page *Page) {
	s := &p.s
	if !s.Enter('{') {
		return
	}
	page.HTML = true
	for s.More('}') {
		switch string(s.Key()) {
		case "Head":
			if s.Enter('{') {
				for s.More('}') {
					if string(s.Key()) == "Base" {
						page.Base = p.text(p.oneString())
					} else {
						s.Skip()
					}
				}
			}
		case "Links":
			page.Links = page.Links[:0]
			if s.Enter('[') {
				for s.More(']') {
					p.link(page)
				}
			}
		default:
			s.Skip()
		}
	}
}

// link reads one element of Links. The path may come last, so the strings are read first and dropped when they do not
// count.
func (p *parser) link(page *Page) {
	s := &p.s
	if !s.Enter('{') {
		return
	}
	var link Link
	image, known := false, false
	for s.More('}') {
		key := s.Key()
		if known && !image && !p.allLinks {
			s.Skip()
			continue
		}
		switch string(key) {
		case "path":
			if path, ok := s.Bytes(); ok {
				known = true
				if image = string(path) == ImagePath; image {
					link.Path = ImagePath
				} else if p.allLinks {
					link.Path = string(path)
				}
			}
		case "url":
			link.URL = p.optional()
		case "alt":
			link.Alt = p.optional()
		case "title":
			link.Title = p.optional()
		default:
			s.Skip()
		}
	}
	if image || p.allLinks {
		page.Links = append(page.Links, link)
	}
}

func (p *parser) optional() *string {
	value, ok := p.s.String()
	if !ok {
		return nil
	}
	value = p.text(value)
	return &value
}

// oneString reads a string, or the first string of a list: the writer makes lists of repeated headers.
func (p *parser) oneString() string {
	s := &p.s
	if s.Kind() != '[' {
		value, _ := s.String()
		return value
	}
	first, have := "", false
	for s.Enter('['); s.More(']'); {
		value, ok := s.String()
		if ok && !have {
			first, have = value, true
		}
	}
	return first
}

func (p *parser) text(s string) string {
	if p.unescape {
		return htmlattr.Unescape(s)
	}
	return s
}

// digest cuts "sha1:" off; a digest of another kind is none.
func digest(s string) string {
	if len(s) > 5 && strings.EqualFold(s[:5], "sha1:") {
		return s[5:]
	}
	return ""
}

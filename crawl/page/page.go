package page

import "mmc4/crawl/wat"

// Candidate is an image URL on a page.
type Candidate struct {
	Raw  string  // the attribute's value, or the part of a srcset
	URL  string  // absolute, http or https, fragment removed; "" when Why says why not
	Attr string  // img@src, img@srcset, img@data-src, source@srcset, ...
	Alt  *string // nil when there is none
	Why  string  // "", or empty, data, invalid, scheme
}

// Selection says which attributes count.
type Selection int

// Src: img@src, as MMC4 did. All: also srcset, lazy-load attributes and <source srcset>.
const (
	Src Selection = iota
	All
)

// FromWAT gives the candidates that a WAT record lists. A WAT has img@src only, so there is no selection.
func FromWAT(p *wat.Page) []Candidate { return nil }

// FromHTML gives the candidates of an HTML page. url is the capture's, contentType its HTTP header ("" for none), body
// the decoded bytes.
func FromHTML(url, contentType string, body []byte, sel Selection) []Candidate { return nil }

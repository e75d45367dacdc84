package demo

// The package's exported words: what a web is made of, and what a finished run is compared with.

// Options says which web to make.
type Options struct {
	Seed  uint64 // same seed and pages: same bytes
	Pages int    // C4 documents with a page in the crawl; 0 means DefaultPages
}

// DefaultPages is the size of the web that `mmc4 demo` makes.
const DefaultPages = 300

// Truth is what is known of a drawn web.
type Truth struct {
	Documents []DocumentTruth
}

// DocumentTruth is what is known of one C4 document.
type DocumentTruth struct {
	URL       string       `json:"url"`
	Timestamp string       `json:"timestamp"` // RFC 3339, as in the C4 record
	Match     string       `json:"match"`     // exact, surt or none (no page in the crawl)
	Sentences []string     `json:"sentences"`
	Images    []ImageTruth `json:"images"`
}

// ImageTruth is what is known of one candidate of a page, in DOM order.
type ImageTruth struct {
	URL     string `json:"url"`            // absolute, or the raw text where it has no http(s) URL
	Attr    string `json:"attr"`           // img@src, img@srcset, img@data-src, source@srcset
	Shows   []int  `json:"shows"`          // indexes of the sentences it depicts; empty for an unrelated picture
	Rule    string `json:"rule"`           // the rule of profile mmc4 that leaves it out; "" when it is kept
	Detail  string `json:"detail"`         // the fetch outcome where Rule is fetch, the reason where it is bad_candidate
	Caption string `json:"caption"`        // what was drawn, for people
	Kind    string `json:"kind,omitempty"` // the drawing's kind
}

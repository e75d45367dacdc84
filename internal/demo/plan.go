package demo

// The plan of the web: which pages there are, what stands on each, and what the crawl and C4 say of it. No pixels yet.

import (
	"fmt"
	"strings"
	"time"
)

// picture is one <img> of a page as planned; paint.go turns its source into bytes.
type picture struct {
	url    string // absolute, without fragment; the raw text where it has no http(s) URL
	raw    string // as it stands in the attribute
	attr   string
	alt    *string
	lazy   string // URL in data-src, where src holds a data: URL
	double string // URL of the same picture for fine screens, in srcset

	source        source
	drawing       *Drawing // what it shows, where it is a drawing
	of            int      // index on the page of the picture that a copy is made of
	width, height int
	png           bool
	halved        bool   // the page has a half-size copy of it
	answer        answer // how the server answers for it

	shows  []int // sentences, by index
	rule   string
	detail string
}

// source says where a picture's bytes come from.
type source int

const (
	noSource      source = iota // nothing is served: a dead or refused URL
	drawn                       // its drawing
	surface                     // an abstract picture
	halfCopy                    // picture `of` of the page at half the size
	exactCopy                   // the bytes of picture `of`
	sharedPicture               // made once for the whole web
	bannerSource                // a wide drawing
	tinySource                  // a spacer
	htmlSource                  // a page of text under a picture's name
	cutSource                   // half a picture
	emptySource
)

// page is one page as planned, with its C4 record.
type page struct {
	url      string
	title    string
	topic    *topic
	base     string // href of <base>, or ""
	text     []string
	breaks   []int // indexes of sentences that begin a paragraph
	pictures []*picture
	after    []int // for every picture: it stands after the paragraph of this index

	captured time.Time // WARC-Date
	older    time.Time // WARC-Date of an earlier capture without pictures, or zero
	c4URL    string
	c4Time   time.Time
	match    string // exact, surt or none
	status   int    // of its only capture, where match is none
	twice    bool   // C4 has it two times
}

// web is the whole plan.
type web struct {
	seed   uint64
	pages  []*page
	shared []*picture // pictures that stand on many pages
}

// site is a host of pages and the host of its pictures.
type site struct {
	host, pictures string
	topic          *topic
}

// Hosts with a part to play.
const (
	deadHost   = "gone.test"   // nothing listens
	closedHost = "closed.test" // robots.txt shuts everybody out
	optOutHost = "noai.test"   // X-Robots-Tag: noai
)

var siteNames = map[string][]string{
	"garden": {"greenbeds", "allotment-nine"}, "school": {"classfour", "drawing-class"}, "harbour": {"quayside", "ferrynotes"},
	"weather": {"skydiary", "hillstation"}, "games": {"gamesevening", "tablerules"}, "bakery": {"ovenbook", "morningloaf"},
	"walks": {"slowpaths", "ridgewalkers"}, "museum": {"signmuseum", "smallthings"}, "trains": {"trackroom", "sidings"},
	"library": {"readingroom", "villagebooks"}, "market": {"marketday", "saturdaystalls"}, "workshop": {"toyworkshop", "woodandglue"},
}

func sites() []site {
	var out []site
	for i := range topics {
		for j, name := range siteNames[topics[i].name] {
			s := site{host: name + ".test", pictures: name + ".test", topic: &topics[i]}
			if j == 0 {
				s.host, s.pictures = "www."+name+".test", "img."+name+".test"
			}
			out = append(out, s)
		}
	}
	return out
}

// crawlStart is the first second of the drawn crawl, in a year that no real crawl has.
var crawlStart = time.Date(2099, time.May, 4, 6, 0, 0, 0, time.UTC)

// newWeb draws up the plan.
func newWeb(seed uint64, pages int) *web {
	w := &web{seed: seed}
	w.planShared()
	all := sites()
	for i := range pages {
		w.pages = append(w.pages, w.newPage(i, all[i%len(all)]))
	}
	w.plantShared()
	w.plantCopies()
	w.plantLinks()
	return w
}

// newPage plans page i with its text and the pictures that the text shows.
func (w *web) newPage(i int, s site) *page {
	r := newRandom(w.seed, "page", fmt.Sprint(i))
	p := &page{topic: s.topic, title: pick(r, s.topic.title)}
	p.compose(r)
	p.url = fmt.Sprintf("http://%s/%s/%s-%d.html", s.host, pick(r, []string{"notes", "2019", "archive", "diary"}), s.topic.name, i)
	if r.chance(0.15) {
		p.url = fmt.Sprintf("http://%s/%s/%d/", s.host, s.topic.name, i)
	}
	if r.chance(0.06) {
		p.base = fmt.Sprintf("http://%s/media/%d/", s.pictures, i)
	}
	for j, pic := range p.pictures {
		ending := "jpg"
		if pic.png {
			ending = "png"
		} else if r.chance(0.1) {
			ending = "jpeg"
		}
		path := fmt.Sprintf("/pics/%s-%d-%d.%s", s.topic.name, i, j+1, ending)
		pic.url, pic.raw = "http://"+s.pictures+path, "http://"+s.pictures+path
		switch {
		case p.base != "":
			name := fmt.Sprintf("p%d.%s", j+1, ending)
			pic.url, pic.raw = p.base+name, name
		case s.pictures == s.host && r.chance(0.7):
			pic.raw = path
		case r.chance(0.2):
			pic.raw = "//" + s.pictures + path
		case r.chance(0.1):
			pic.raw = pic.url + "#top"
		}
		if p.base == "" && r.chance(0.06) {
			pic.double = strings.TrimSuffix(pic.url, "."+ending) + "-2x." + ending
		}
	}
	w.planCrawl(r, p, i)
	return p
}

// planCrawl decides when the page was captured, and how C4 names it.
func (w *web) planCrawl(r random, p *page, i int) {
	p.captured = crawlStart.Add(time.Duration(r.IntN(6*24*3600)) * time.Second)
	p.c4URL, p.c4Time, p.match, p.status = p.url, p.captured, "exact", 200
	if r.chance(0.08) {
		p.older = p.captured.Add(-time.Duration(r.whole(20, 200)) * time.Hour)
	}
	if r.chance(0.06) {
		p.c4Time = p.captured.Add(time.Duration(r.whole(1, 90)) * time.Minute)
	}
	switch {
	case i%16 == 9: // equal by SURT key only
		p.match = "surt"
		p.c4URL = "https" + p.url[len("http"):]
	case i%33 == 20: // the crawl has an error page only
		p.match, p.status, p.older = "none", pick(r, []int{404, 301, 503}), time.Time{}
	}
	p.twice = i%90 == 40
}

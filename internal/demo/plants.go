package demo

// What is planted among the drawings: copies, banners, spacers, controls, dead links and everything else that a rule of
// profile mmc4 must leave out, each with the rule that should.

import (
	"fmt"
	"strings"
)

// answer is how the server answers for a planted URL, where it does more than give bytes.
type answer struct {
	Status   int    `json:"status,omitempty"`   // instead of 200
	Location string `json:"location,omitempty"` // of a redirect
	Tag      string `json:"tag,omitempty"`      // X-Robots-Tag
	Type     string `json:"type,omitempty"`     // Content-Type
}

// planShared plans the pictures that stand on many pages: two on more than the corpus rule allows, one on fewer.
func (w *web) planShared() {
	r := newRandom(w.seed, "shared")
	for i, kindName := range []string{"windmill", "spiral", "sun"} {
		d := kindNamed(kindName).newDrawing(r)
		d.Count = 1
		url := fmt.Sprintf("http://pool.test/shared/%s.jpg", kindName)
		pic := &picture{url: url, raw: url, attr: "img@src", source: sharedPicture, drawing: &d, of: i, width: 300, height: 250, rule: "duplicate_in_corpus"}
		if kindName == "sun" {
			pic.rule = ""
		}
		w.shared = append(w.shared, pic)
	}
}

// plantShared puts them on pages that do not show their kind otherwise.
func (w *web) plantShared() {
	r := newRandom(w.seed, "plant shared")
	for i, pic := range w.shared {
		want := []int{16, 13, 7}[i]
		var copies []*picture
		for _, p := range w.pages {
			if want == 0 {
				break
			}
			if p.match == "none" || p.twice || p.mentions(pic.drawing.Kind) || !r.chance(0.18) {
				continue
			}
			copied := *pic
			if pic.rule == "" { // this one stays, and the page speaks of it
				p.text = append(p.text, pic.drawing.show(r))
				copied.shows = []int{len(p.text) - 1}
			}
			p.pictures, p.after = append(p.pictures, &copied), append(p.after, len(p.breaks)-1)
			copies = append(copies, &copied)
			want--
		}
		if pic.rule != "" && len(copies) <= 10 { // a small web: too few to be common
			for _, c := range copies {
				c.rule = "similarity"
			}
		}
	}
}

// mentions says whether the page shows a thing of the kind, in a picture or in a sentence.
func (p *page) mentions(kindName string) bool {
	for _, pic := range p.pictures {
		if pic.drawing != nil && pic.drawing.Kind == kindName {
			return true
		}
	}
	noun := kindNamed(kindName).nouns[0][0]
	for _, s := range p.text {
		if strings.Contains(s, noun) {
			return true
		}
	}
	return false
}

// plantCopies puts half-size and exact copies of a page's own pictures behind them.
func (w *web) plantCopies() {
	for i, p := range w.pages {
		if i%6 != 3 || len(p.pictures) == 0 {
			continue
		}
		of := -1
		for j, pic := range p.pictures {
			if pic.source == drawn && pic.rule == "" {
				of = j
				break
			}
		}
		if of < 0 {
			continue
		}
		original := p.pictures[of]
		original.width, original.height = max(original.width, 320), max(original.height, 320)
		dot := strings.LastIndexByte(original.url, '.')
		copied := &picture{attr: "img@src", of: of, rule: "duplicate_in_document", png: original.png, drawing: original.drawing}
		if i%12 == 3 {
			original.halved = true
			copied.source, copied.width, copied.height = halfCopy, original.width/2, original.height/2
			copied.url = original.url[:dot] + "-small" + original.url[dot:]
		} else {
			copied.source, copied.width, copied.height = exactCopy, original.width, original.height
			copied.url = original.url[:dot] + "-again" + original.url[dot:]
		}
		copied.raw = copied.url
		p.pictures, p.after = append(p.pictures, copied), append(p.after, len(p.breaks)-1)
		if i%18 == 9 { // the same URL again, which counts once: no picture of its own
			again := *original
			again.raw = again.url
			again.rule = repeated
			p.pictures, p.after = append(p.pictures, &again), append(p.after, 0)
		}
	}
}

// repeated marks a second mention of a URL; it is in the page, not in the truth.
const repeated = "(repeated)"

// plantLinks puts one thing that must be left out on most pages, in turn.
func (w *web) plantLinks() {
	for i, p := range w.pages {
		r := newRandom(w.seed, "links", fmt.Sprint(i))
		host := pictureHost(p)
		site := "http://" + host
		if p.match != "none" && i%4 != 3 {
			p.plant(plantsInTurn[i/4*3%len(plantsInTurn)+i%4%3](site, i))
		}
		if i%5 == 0 { // controls, as every other page has them
			p.plant(&picture{url: site + "/static/logo.png", rule: "url_token"})
		}
		if i%9 == 4 {
			p.plant(&picture{url: site + "/static/spacer.png", source: tinySource, width: 1, height: 1, png: true, rule: "min_side"})
		}
		if i%10 == 7 {
			p.plant(&picture{url: fmt.Sprintf("%s/wide/strip-%d.jpg", site, i), source: bannerSource, width: r.whole(600, 728), height: r.whole(160, 200), rule: "aspect"})
		}
	}
}

func pictureHost(p *page) string {
	for _, s := range sites() {
		if s.topic == p.topic && strings.HasPrefix(p.url, "http://"+s.host+"/") {
			return s.pictures
		}
	}
	return "pool.test"
}

// plant adds a picture at the end of the page.
func (p *page) plant(pic *picture) {
	if pic.raw == "" {
		pic.raw = pic.url
	}
	if pic.attr == "" {
		pic.attr = "img@src"
	}
	p.pictures, p.after = append(p.pictures, pic), append(p.after, len(p.breaks)-1)
}

// failing is a URL whose fetch ends otherwise than well.
func failing(url, outcome string, a answer) *picture {
	return &picture{url: url, rule: "fetch", detail: outcome, answer: a}
}

// odd is a src that gives no http(s) URL.
func odd(raw, why string) *picture {
	return &picture{url: raw, raw: raw, rule: "bad_candidate", detail: why}
}

const dataURL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"

// plantsInTurn are the makers of what is planted: site is the pictures' host, n makes URLs differ.
var plantsInTurn = []func(site string, n int) *picture{
	func(site string, n int) *picture {
		return failing(fmt.Sprintf("%s/old/lost-%d.jpg", site, n), "http_404", answer{Status: 404})
	},
	func(site string, n int) *picture {
		return &picture{url: fmt.Sprintf("%s/moving/wave-%d.gif", site, n), rule: "extension"}
	},
	func(site string, n int) *picture {
		return &picture{url: fmt.Sprintf("%s/ui/button-next-%d.png", site, n), rule: "url_token"}
	},
	func(site string, n int) *picture {
		return failing(fmt.Sprintf("http://%s/view-%d.jpg", closedHost, n), "robots", answer{})
	},
	func(site string, n int) *picture { return odd("", "empty") },
	func(site string, n int) *picture {
		return &picture{url: fmt.Sprintf("%s/vector/plan-%d.svg", site, n), rule: "extension"}
	},
	func(site string, n int) *picture {
		pic := failing(fmt.Sprintf("http://%s/study-%d.jpg", optOutHost, n), "opt_out", answer{Tag: "noai, noimageai"})
		pic.source, pic.width, pic.height = surface, 240, 200
		return pic
	},
	func(site string, n int) *picture {
		return failing(fmt.Sprintf("http://%s/photo-%d.jpg", deadHost, n), "connect", answer{})
	},
	func(site string, n int) *picture {
		pic := odd(dataURL, "data")
		pic.lazy = fmt.Sprintf("%s/lazy/later-%d.jpg", site, n)
		pic.source, pic.width, pic.height = surface, 240, 200
		return pic
	},
	func(site string, n int) *picture {
		pic := failing(fmt.Sprintf("%s/old/moved-%d.jpg", site, n), "not_image", answer{Type: "text/html; charset=utf-8"})
		pic.source = htmlSource
		return pic
	},
	func(site string, n int) *picture {
		return &picture{url: fmt.Sprintf("%s/ui/icon-mail-%d.png", site, n), rule: "url_token"}
	},
	func(site string, n int) *picture {
		pic := failing(fmt.Sprintf("%s/pics/cut-%d.jpg", site, n), "truncated", answer{})
		pic.source, pic.width, pic.height = cutSource, 260, 220
		return pic
	},
	func(site string, n int) *picture { return odd("ftp://files.test/plan.jpg", "scheme") },
	func(site string, n int) *picture {
		return failing(fmt.Sprintf("%s/old/withdrawn-%d.png", site, n), "http_410", answer{Status: 410})
	},
	func(site string, n int) *picture {
		return &picture{url: fmt.Sprintf("%s/small/stamp-%d.png", site, n), source: tinySource, width: 88, height: 31, png: true, rule: "min_side"}
	},
	func(site string, n int) *picture {
		pic := failing(fmt.Sprintf("%s/pics/void-%d.jpg", site, n), "empty", answer{})
		pic.source = emptySource
		return pic
	},
	func(site string, n int) *picture { return odd("http://[nowhere/picture.jpg", "invalid") },
	func(site string, n int) *picture {
		return failing(fmt.Sprintf("%s/old/circle-%d.jpg", site, n), "redirect_loop", answer{Status: 302, Location: fmt.Sprintf("%s/old/circle-%d.jpg", site, n)})
	},
	func(site string, n int) *picture {
		return failing(fmt.Sprintf("%s/members/photo-%d.jpg", site, n), "http_403", answer{Status: 403})
	},
	func(site string, n int) *picture {
		return &picture{url: fmt.Sprintf("%s/widget/counter-%d.png", site, n), rule: "url_token"}
	},
	func(site string, n int) *picture {
		return &picture{url: fmt.Sprintf("%s/modern/print-%d.webp", site, n), rule: "extension"}
	},
}

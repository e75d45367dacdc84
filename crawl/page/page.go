package page

// Candidates: what both routes give.

import (
	"mmc4/crawl/wat"
	"mmc4/crawl/weburl"
)

// Candidate is an image URL on a page.
type Candidate struct {
	Raw  string  // the attribute's value, or the part of a srcset
	URL  string  // absolute, http or https, fragment removed; "" when Why says why not
	Attr string  // img@src, img@srcset, img@data-src, source@srcset, ...
	Alt  *string // nil when there is none
	Why  string  // "", or empty, data, invalid, scheme (weburl's Why constants)
}

// Selection says which attributes count.
type Selection int

// Src: img@src, as MMC4 did. All: also srcset, lazy-load attributes and <source srcset>.
const (
	Src Selection = iota
	All
)

// AttrSrc is the Attr of img@src candidates, which is all that a WAT has.
const AttrSrc = "img@src"

// lazy are the attributes in which scripts keep what they will put into src, in the order of their candidates behind src
// and srcset.
var lazy = []string{"data-src", "data-original", "data-lazy-src", "data-lazy", "data-srcset"}

// FromWAT gives the candidates that a WAT record lists: the links IMG@/src that have a url.
func FromWAT(p *wat.Page) []Candidate {
	base := weburl.NewBase(p.URL, p.Base)
	var out []Candidate
	for i := range p.Links {
		link := &p.Links[i]
		if link.Path == wat.ImagePath && link.URL != nil {
			out = append(out, candidate(base, found{AttrSrc, *link.URL, link.Alt}))
		}
	}
	return out
}

// FromHTML gives the candidates of an HTML page in DOM order. url is the capture's, contentType its HTTP header ("" for
// none), body the decoded bytes. Scripting counts as off, so what stands in <noscript> is there; so is what stands in
// <template>, as in WATs.
func FromHTML(url, contentType string, body []byte, sel Selection) []Candidate {
	doc := determine(body, contentType)
	text, value := doc.view()
	base, list, late, ok := scan(text, sel, value)
	if !doc.certain && late != "" && late != doc.label {
		doc.label = late
		text, value = doc.view()
		base, list, _, ok = scan(text, sel, value)
	}
	if !ok { // the tree decides, if it can be built
		if treeBase, tree, err := walk(doc.text(), sel); err == nil {
			base, list = treeBase, tree
		}
	}
	return resolve(url, base, list)
}

// found is a candidate before its URL is resolved.
type found struct {
	attr string
	raw  string
	alt  *string
}

func resolve(url, baseHref string, list []found) []Candidate {
	if len(list) == 0 {
		return nil
	}
	base := weburl.NewBase(url, baseHref)
	out := make([]Candidate, len(list))
	for i, f := range list {
		out[i] = candidate(base, f)
	}
	return out
}

func candidate(base weburl.Base, f found) Candidate {
	href, why := base.Resolve(f.raw)
	return Candidate{Raw: f.raw, URL: weburl.StripFragment(href), Attr: f.attr, Alt: f.alt, Why: why}
}

// image adds the candidates of an <img>. get gives an attribute's value; false when it is absent.
func image(list []found, sel Selection, get func(name string) (string, bool)) []found {
	src, haveSrc := get("src")
	if sel == Src && !haveSrc {
		return list
	}
	var alt *string
	if v, ok := get("alt"); ok {
		alt = &v
	}
	if haveSrc {
		list = append(list, found{AttrSrc, src, alt})
	}
	if sel == Src {
		return list
	}
	if v, ok := get("srcset"); ok {
		list = set(list, "img@srcset", v, alt)
	}
	for _, name := range lazy {
		if v, ok := get(name); !ok {
			continue
		} else if name == "data-srcset" {
			list = set(list, "img@data-srcset", v, alt)
		} else {
			list = append(list, found{"img@" + name, v, alt})
		}
	}
	return list
}

// source adds the candidates of a <source>.
func source(list []found, sel Selection, get func(name string) (string, bool)) []found {
	if sel == All {
		if v, ok := get("srcset"); ok {
			list = set(list, "source@srcset", v, nil)
		}
	}
	return list
}

func set(list []found, attr, value string, alt *string) []found {
	for _, s := range ParseSrcset(value) {
		list = append(list, found{attr, s.URL, alt})
	}
	return list
}

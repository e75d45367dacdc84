package demo

// Pages as HTML, and the links in them as a WAT lists them.

import (
	"fmt"
	"html"
	"strings"
)

// link is an element of a WAT's Links or Head.Link, in the order of its fields.
type link struct {
	Path string  `json:"path"`
	Rel  string  `json:"rel,omitempty"`
	Type string  `json:"type,omitempty"`
	URL  string  `json:"url"`
	Alt  *string `json:"alt,omitempty"`
	Text string  `json:"text,omitempty"`
}

// markup is a page in HTML with what a WAT says of it.
type markup struct {
	body  string
	base  string
	links []link
}

var stylesheet = link{Path: "LINK@/href", Rel: "stylesheet", Type: "text/css", URL: "/static/page.css"}

// markup writes the page; an older capture has no pictures yet.
func (p *page) markup(older bool) markup {
	m := markup{base: p.base}
	var b strings.Builder
	base := ""
	if p.base != "" {
		base = fmt.Sprintf("<base href=%q>\n", p.base)
	}
	fmt.Fprintf(&b, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n%s<title>%s</title>\n<link rel=\"stylesheet\" type=\"text/css\" href=\"/static/page.css\">\n</head>\n<body>\n", base, html.EscapeString(p.title))
	b.WriteString("<nav><a href=\"/\">Home</a> <a href=\"/about.html\">About us</a></nav>\n<h1>" + html.EscapeString(p.title) + "</h1>\n")
	m.links = append(m.links, link{Path: "A@/href", URL: "/", Text: "Home"}, link{Path: "A@/href", URL: "/about.html", Text: "About us"})
	for i, paragraph := range p.paragraphs() {
		b.WriteString("<p>" + html.EscapeString(paragraph) + "</p>\n")
		for j, pic := range p.pictures {
			if p.after[j] == i && !older {
				b.WriteString(pic.tag() + "\n")
				m.links = append(m.links, link{Path: "IMG@/src", URL: pic.raw, Alt: pic.alt})
			}
		}
	}
	b.WriteString("<footer><a href=\"/imprint.html\">Imprint</a></footer>\n</body>\n</html>\n")
	m.links = append(m.links, link{Path: "A@/href", URL: "/imprint.html", Text: "Imprint"})
	m.body = b.String()
	return m
}

// tag is the picture's <img>.
func (pic *picture) tag() string {
	s := "<img src=\"" + html.EscapeString(pic.raw) + "\""
	if pic.lazy != "" {
		s += " data-src=\"" + html.EscapeString(pic.lazy) + "\""
	}
	if pic.double != "" {
		s += " srcset=\"" + html.EscapeString(pic.raw) + " 1x, " + html.EscapeString(pic.double) + " 2x\""
	}
	if pic.alt != nil {
		s += " alt=\"" + html.EscapeString(*pic.alt) + "\""
	}
	if pic.width > 0 && pic.source != halfCopy && pic.lazy == "" {
		s += fmt.Sprintf(" width=\"%d\" height=\"%d\"", pic.width, pic.height)
	}
	return s + ">"
}

// paragraphs joins the sentences.
func (p *page) paragraphs() []string {
	var out []string
	for i, from := range p.breaks {
		to := len(p.text)
		if i+1 < len(p.breaks) {
			to = p.breaks[i+1]
		}
		out = append(out, strings.Join(p.text[from:to], " "))
	}
	return out
}

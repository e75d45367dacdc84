package demo

// Composing a page: its sentences, and the drawings that some of them show.

import (
	"fmt"
	"slices"
	"strings"
)

// compose writes the page's text and plans the pictures that go with it.
func (p *page) compose(r random) {
	drawings := p.chooseDrawings(r)
	length := min(30, max(6, len(drawings)*2+r.whole(2, 16)))
	type line struct {
		text string
		of   int // index of a drawing, -1 for none
	}
	var lines []line
	used := map[string]bool{}
	add := func(text string, of int) bool {
		if used[text] {
			return false
		}
		used[text] = true
		lines = append(lines, line{text, of})
		return true
	}
	for i, d := range drawings {
		for !add(d.show(r), i) {
		}
		if r.chance(0.15) {
			add(d.show(r), i)
		}
	}
	if r.chance(0.3) { // a sentence about a picture that is not there, perhaps of a kind that is
		ghost := kinds[r.IntN(len(kinds))].newDrawing(r)
		if other, ok := drawings[0].sibling(r); ok && r.chance(0.5) {
			ghost = other
		}
		if !slices.ContainsFunc(drawings, ghost.soundsLike) {
			add(ghost.show(r), -1)
		}
	}
	for tries := 0; len(lines) < length && tries < 200; tries++ {
		add(p.topic.tell(r), -1)
	}
	r.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	shows := make([][]int, len(drawings))
	for i, l := range lines {
		p.text = append(p.text, l.text)
		if l.of >= 0 {
			shows[l.of] = append(shows[l.of], i)
		}
		if i == 0 || r.chance(0.28) {
			p.breaks = append(p.breaks, i)
		}
	}
	for i := range drawings {
		p.addPicture(r, &picture{attr: "img@src", source: drawn, drawing: &drawings[i], shows: shows[i]}, shows[i][0])
	}
	if r.chance(0.12) {
		p.addPicture(r, &picture{attr: "img@src", source: surface, rule: "similarity"}, r.IntN(len(p.text)))
	}
	if k := &kinds[r.IntN(len(kinds))]; r.chance(0.1) && !p.mentions(k.name) { // a picture that the text does not speak of
		d := k.newDrawing(r)
		p.addPicture(r, &picture{attr: "img@src", source: drawn, drawing: &d, rule: "similarity"}, r.IntN(len(p.text)))
	}
	if r.chance(0.5) { // as they come in the text, or as they come
		order := make([]int, len(p.pictures))
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(a, b int) int { return p.after[a] - p.after[b] })
		pictures, after := p.pictures, p.after
		p.pictures, p.after = nil, nil
		for _, i := range order {
			p.pictures, p.after = append(p.pictures, pictures[i]), append(p.after, after[i])
		}
	}
}

// chooseDrawings picks what the page shows: mostly things of different kinds, now and then two of a kind.
func (p *page) chooseDrawings(r random) []Drawing {
	n := pick(r, []int{1, 2, 2, 3, 3, 3, 4, 4, 5})
	var out []Drawing
	for len(out) < n {
		k := &kinds[r.IntN(len(kinds))]
		if slices.ContainsFunc(out, func(d Drawing) bool { return d.Kind == k.name }) {
			continue
		}
		d := k.newDrawing(r)
		out = append(out, d)
		if len(out) < n && r.chance(0.2) {
			if other, ok := d.sibling(r); ok {
				out = append(out, other)
			}
		}
	}
	return out
}

// sibling is a drawing of the same kind that a sentence tells from the first.
func (d Drawing) sibling(r random) (Drawing, bool) {
	k := kindNamed(d.Kind)
	for range 20 {
		if other := k.newDrawing(r); !other.soundsLike(d) {
			return other, true
		}
	}
	return Drawing{}, false
}

// soundsLike says that the same sentences speak of both drawings.
func (d Drawing) soundsLike(o Drawing) bool {
	return d.thing() == o.thing()
}

// thing is what sentences can say of a drawing. They do not say which way a flag's stripes run.
func (d Drawing) thing() string {
	if d.Stripes != nil {
		return d.Kind + " " + strings.Join(d.Stripes, " ")
	}
	return fmt.Sprintf("%s %d %s %s %d", d.Kind, d.Count, d.Colour, d.Facing, d.Value)
}

// addPicture puts a picture after the paragraph of a sentence, with a size and an alt text by lot.
func (p *page) addPicture(r random, pic *picture, sentence int) {
	side := r.whole(190, 460)
	pic.width, pic.height = int(float64(side)*r.between(1, 1.5)), side
	if r.chance(0.25) {
		pic.width, pic.height = pic.height, pic.width
	}
	pic.png = r.chance(0.25)
	pic.alt = p.altText(r, pic)
	paragraph := 0
	for paragraph+1 < len(p.breaks) && p.breaks[paragraph+1] <= sentence {
		paragraph++
	}
	p.pictures, p.after = append(p.pictures, pic), append(p.after, paragraph)
}

// altText is none, empty, a stock phrase or what the picture shows.
func (p *page) altText(r random, pic *picture) *string {
	text := ""
	switch r.IntN(4) {
	case 0:
		return nil
	case 1:
		text = pick(r, []string{"", "picture", p.title})
	default:
		if pic.drawing != nil {
			text = pic.drawing.Phrase(r)
		}
	}
	return &text
}

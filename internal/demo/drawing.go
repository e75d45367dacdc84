package demo

// A drawing: what it shows, and how that becomes pixels.

import (
	"image"
	"image/color"
	"math"
	"slices"
)

// Drawing says what a picture shows, in the attributes that a sentence can speak of.
type Drawing struct {
	Kind    string
	Colour  string   // main colour; "" where the kind has none to name
	Count   int      // copies of the thing
	Facing  string   // left, right, up, down; "" where the kind has no direction
	Value   int      // hour, eyes of a die, bars, slices, phase; 0 where the kind has none
	Stripes []string // colours of a flag, from the top or the left
	Dark    bool     // on a dark ground
}

// kind is one sort of thing that can be drawn.
type kind struct {
	name      string
	nouns     [][2]string // singular and plural, the usual one first
	colours   []string    // that it comes in; nil where its colours are fixed
	most      int         // most copies in one drawing
	facings   []string
	low, high int  // range of Value
	dull      bool // fixed colours that a dark ground would swallow
	draw      func(p *pen, r random, d Drawing, col color.RGBA)
}

// kinds lists every sort of thing, in a fixed order.
var kinds = slices.Concat(shapeKinds, thingKinds, placeKinds, signKinds)

func kindNamed(name string) *kind {
	for i := range kinds {
		if kinds[i].name == name {
			return &kinds[i]
		}
	}
	return nil
}

// newDrawing draws lots for the attributes of a thing of this kind.
func (k *kind) newDrawing(r random) Drawing {
	d := Drawing{Kind: k.name, Count: 1}
	if k.colours != nil {
		d.Colour = pick(r, k.colours)
	}
	if k.most > 1 && r.chance(0.45) {
		d.Count = r.whole(2, k.most)
	}
	if k.facings != nil {
		d.Facing = pick(r, k.facings)
	}
	if k.high > 0 {
		d.Value = r.whole(k.low, k.high)
	}
	if k.name == "flag" {
		colours := slices.Clone(flagColours)
		r.Shuffle(len(colours), func(i, j int) { colours[i], colours[j] = colours[j], colours[i] })
		d.Stripes = colours[:3]
		d.Facing = pick(r, []string{"across", "upright"})
	}
	d.Dark = !k.dull && !slices.Contains([]string{"black", "brown", "blue", "purple"}, d.Colour) && r.chance(0.18)
	return d
}

// Render paints the drawing on a picture of the given size; r decides place, size, turn, paints, ground and grain.
func (d Drawing) Render(r random, width, height int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	k := kindNamed(d.Kind)
	d.backdrop(r, img)
	side := float64(min(width, height))
	sheet := &pen{img: img, cx: float64(width) / 2, cy: float64(height) / 2, scale: side}
	tilt := 0.10
	if d.Facing != "" || d.Value != 0 {
		tilt = 0.05
	}
	for _, c := range layout(r, d.Count) {
		col := paint(r, d.Colour)
		k.draw(sheet.at(c.x, c.y, c.size, r.between(-tilt, tilt)), r, d, col)
	}
	grain(r, img, r.whole(0, 5))
	return img
}

// backdrop paints what lies behind the drawing.
func (d Drawing) backdrop(r random, img *image.RGBA) {
	g := newGround(r, d.Dark)
	wash(img, g.from, g.to, r.between(0, 2*math.Pi))
	w, h := float64(img.Bounds().Dx()), float64(img.Bounds().Dy())
	side := min(w, h)
	all := &pen{img: img, cx: w / 2, cy: h / 2, scale: side}
	faint := mix(g.to, color.RGBA{90, 90, 110, 255}, 0.14)
	if g.dark {
		faint = mix(g.to, color.RGBA{255, 255, 255, 255}, 0.08)
	}
	rx, ry := w/side/2, h/side/2
	switch r.IntN(7) {
	case 0: // dots
		step := r.between(0.07, 0.13)
		for y := -ry; y < ry; y += step {
			for x := -rx; x < rx; x += step {
				all.fill(faint, ellipse(x, y, 0.008, 0.008, 8))
			}
		}
	case 1: // ruled paper
		step := r.between(0.08, 0.14)
		for y := -ry + step/2; y < ry; y += step {
			all.fill(faint, rectangle(-rx, y, rx, y+0.006))
		}
	case 2: // a frame
		m := r.between(0.02, 0.04)
		for _, e := range [][4]float64{{-rx, -ry, rx, -ry + m}, {-rx, ry - m, rx, ry}, {-rx, -ry, -rx + m, ry}, {rx - m, -ry, rx, ry}} {
			all.fill(faint, rectangle(e[0], e[1], e[2], e[3]))
		}
	case 3: // a table edge
		y := r.between(0.26, 0.40)
		all.fill(faint, rectangle(-rx, y, rx, ry))
	}
}

// cell is the place of one copy: middle and side, relative to the square in the middle of the picture.
type cell struct{ x, y, size float64 }

// layout places n copies without overlap, a little out of line.
func layout(r random, n int) []cell {
	if n <= 1 {
		s := r.between(0.62, 0.88)
		room := (0.98 - s) / 2
		return []cell{{r.between(-room, room), r.between(-room, room), s}}
	}
	var spots [][2]float64
	size := 0.40
	switch n {
	case 2:
		spots = [][2]float64{{-0.23, 0}, {0.23, 0}}
		if r.chance(0.4) {
			spots = [][2]float64{{-0.2, -0.2}, {0.2, 0.2}}
		}
	case 3:
		spots, size = [][2]float64{{-0.31, 0}, {0, 0}, {0.31, 0}}, 0.29
		if r.chance(0.5) {
			spots, size = [][2]float64{{0, -0.22}, {-0.23, 0.2}, {0.23, 0.2}}, 0.38
		}
	case 4:
		spots, size = [][2]float64{{-0.22, -0.22}, {0.22, -0.22}, {-0.22, 0.22}, {0.22, 0.22}}, 0.38
	case 5:
		spots, size = [][2]float64{{-0.29, -0.29}, {0.29, -0.29}, {0, 0}, {-0.29, 0.29}, {0.29, 0.29}}, 0.29
	default:
		spots, size = [][2]float64{{-0.31, -0.18}, {0, -0.18}, {0.31, -0.18}, {-0.31, 0.18}, {0, 0.18}, {0.31, 0.18}}, 0.28
	}
	size *= r.between(0.84, 1)
	var out []cell
	for _, s := range spots {
		out = append(out, cell{s[0] + r.between(-0.02, 0.02), s[1] + r.between(-0.03, 0.03), size * r.between(0.93, 1)})
	}
	return out
}

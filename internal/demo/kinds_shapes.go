package demo

// Plain shapes, in colours and in numbers.

import (
	"image/color"
	"math"
)

var shapeKinds = []kind{
	{name: "circle", nouns: [][2]string{{"circle", "circles"}, {"disc", "discs"}}, colours: someColours, most: 6,
		draw: func(p *pen, _ random, _ Drawing, col color.RGBA) { p.circle(col, 0, 0, 0.46) }},
	{name: "square", nouns: [][2]string{{"square", "squares"}}, colours: someColours, most: 6,
		draw: func(p *pen, _ random, _ Drawing, col color.RGBA) { p.box(col, -0.42, -0.42, 0.42, 0.42) }},
	{name: "triangle", nouns: [][2]string{{"triangle", "triangles"}}, colours: someColours, most: 6,
		draw: func(p *pen, _ random, _ Drawing, col color.RGBA) {
			p.shape(col, point{0, -0.44}, point{0.48, 0.40}, point{-0.48, 0.40})
		}},
	{name: "star", nouns: [][2]string{{"star", "stars"}}, colours: someColours, most: 6,
		draw: func(p *pen, r random, _ Drawing, col color.RGBA) {
			p.shape(col, polygon(0, 0.03, 0.5, 5, r.between(0.40, 0.48))...)
		}},
	{name: "heart", nouns: [][2]string{{"heart", "hearts"}}, colours: []string{"red", "pink", "purple", "orange", "blue", "green", "black"}, most: 5, draw: drawHeart},
	{name: "hexagon", nouns: [][2]string{{"hexagon", "hexagons"}}, colours: brightColours, most: 4,
		draw: func(p *pen, _ random, _ Drawing, col color.RGBA) { p.shape(col, polygon(0, 0, 0.48, 6, 1)...) }},
	{name: "ring", nouns: [][2]string{{"ring", "rings"}, {"hoop", "hoops"}}, colours: someColours, most: 5, draw: drawRing},
	{name: "cross", nouns: [][2]string{{"cross", "crosses"}}, colours: someColours, most: 4, draw: drawCross},
	{name: "diamond", nouns: [][2]string{{"diamond", "diamonds"}}, colours: brightColours, most: 5,
		draw: func(p *pen, _ random, _ Drawing, col color.RGBA) {
			p.shape(col, point{0, -0.5}, point{0.33, 0}, point{0, 0.5}, point{-0.33, 0})
		}},
	{name: "drop", nouns: [][2]string{{"drop", "drops"}, {"droplet", "droplets"}}, colours: []string{"blue", "red", "green", "purple", "orange"}, most: 5, draw: drawDrop},
	{name: "spiral", nouns: [][2]string{{"spiral", "spirals"}}, colours: someColours, most: 2, draw: drawSpiral},
	{name: "arrow", nouns: [][2]string{{"arrow", "arrows"}}, colours: someColours, most: 3, facings: []string{"left", "right", "up", "down"}, draw: drawArrow},
}

func drawHeart(p *pen, _ random, _ Drawing, col color.RGBA) {
	top, low := point{0, -0.22}, point{0, 0.46}
	right := append([]point{top}, bezier(top, point{0.10, -0.50}, point{0.50, -0.50}, point{0.48, -0.12}, 14)...)
	right = append(right, bezier(point{0.48, -0.12}, point{0.46, 0.12}, point{0.16, 0.30}, low, 14)...)
	left := mirror(right)
	for i := len(left) - 2; i > 0; i-- {
		right = append(right, left[i])
	}
	p.shape(col, right...)
}

func drawRing(p *pen, _ random, _ Drawing, col color.RGBA) {
	round := ellipse(0, 0, 0.38, 0.38, 48)
	round = append(round, round[0])
	p.line(darker(col, 0.62), 0.19, round...)
	p.line(col, 0.15, round...)
}

func drawCross(p *pen, _ random, _ Drawing, col color.RGBA) {
	const a, b = 0.15, 0.46
	p.shape(col, point{-a, -b}, point{a, -b}, point{a, -a}, point{b, -a}, point{b, a}, point{a, a}, point{a, b}, point{-a, b},
		point{-a, a}, point{-b, a}, point{-b, -a}, point{-a, -a})
}

func drawDrop(p *pen, _ random, _ Drawing, col color.RGBA) {
	outline := arc(0, 0.14, 0.33, 0.33, -0.35, math.Pi+0.35, 26)
	p.shape(col, append(outline, point{0, -0.5})...)
	p.fill(mix(col, color.RGBA{255, 255, 255, 255}, 0.6), ellipse(-0.11, 0.14, 0.05, 0.10, 16))
}

func drawSpiral(p *pen, r random, _ Drawing, col color.RGBA) {
	var way []point
	for i := range 91 {
		s, c := math.Sincos(float64(i) / 90 * 3 * 2 * math.Pi)
		d := 0.02 + 0.44*float64(i)/90
		way = append(way, point{d * c, d * s})
	}
	p.line(col, r.between(0.055, 0.075), way...)
}

// turns is how far a thing that points right is turned to face another way.
var turns = map[string]float64{"right": 0, "down": math.Pi / 2, "left": math.Pi, "up": -math.Pi / 2}

func drawArrow(p *pen, r random, d Drawing, col color.RGBA) {
	q := p.at(0, 0, 1, turns[d.Facing])
	w := r.between(0.10, 0.14)
	q.shape(col, point{-0.48, -w}, point{0.08, -w}, point{0.08, -0.34}, point{0.49, 0}, point{0.08, 0.34}, point{0.08, w}, point{-0.48, w})
}

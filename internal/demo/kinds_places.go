package demo

// Places and the sky: houses, trees, hills, lights at sea, sun, moon and weather.

import (
	"image/color"
	"math"
)

var placeKinds = []kind{
	{name: "house", nouns: [][2]string{{"house", "houses"}, {"cottage", "cottages"}}, colours: []string{"red", "blue", "green", "brown", "purple", "orange"}, most: 2, draw: drawHouse},
	{name: "tree", nouns: [][2]string{{"tree", "trees"}}, colours: []string{"green", "orange", "yellow", "red", "pink"}, most: 3, draw: drawTree},
	{name: "fir", nouns: [][2]string{{"fir tree", "fir trees"}, {"pine tree", "pine trees"}}, most: 4, draw: drawFir, dull: true},
	{name: "mountain", nouns: [][2]string{{"mountain", "mountains"}}, most: 2, draw: drawMountain, dull: true},
	{name: "lighthouse", nouns: [][2]string{{"lighthouse", "lighthouses"}}, colours: []string{"red", "blue", "green", "black"}, draw: drawLighthouse},
	{name: "windmill", nouns: [][2]string{{"windmill", "windmills"}}, draw: drawWindmill, dull: true},
	{name: "bridge", nouns: [][2]string{{"bridge", "bridges"}}, draw: drawBridge, dull: true},
	{name: "castle", nouns: [][2]string{{"castle", "castles"}}, draw: drawCastle, dull: true},
	{name: "sun", nouns: [][2]string{{"sun", "suns"}}, draw: drawSun},
	{name: "moon", nouns: [][2]string{{"moon", "moons"}}, low: 1, high: 3, draw: drawMoon},
	{name: "cloud", nouns: [][2]string{{"cloud", "clouds"}}, low: 1, high: 3, draw: drawCloud, dull: true},
	{name: "rainbow", nouns: [][2]string{{"rainbow", "rainbows"}}, draw: drawRainbow},
}

func drawHouse(p *pen, r random, _ Drawing, col color.RGBA) {
	wall := hsv(r.between(30, 55), r.between(0.08, 0.25), r.between(0.88, 0.97))
	p.box(darker(wall, 0.6), 0.18, -0.42, 0.28, -0.10)
	p.box(wall, -0.36, -0.08, 0.36, 0.44)
	p.shape(col, point{0, -0.48}, point{0.48, -0.06}, point{-0.48, -0.06})
	p.box(wood, -0.09, 0.14, 0.10, 0.44)
	for _, x := range []float64{-0.23, 0.23} {
		p.box(color.RGBA{150, 200, 235, 255}, x-0.08, 0.04, x+0.08, 0.20)
	}
}

func drawTree(p *pen, _ random, _ Drawing, col color.RGBA) {
	p.shape(wood, point{-0.07, 0.02}, point{0.07, 0.02}, point{0.10, 0.48}, point{-0.10, 0.48})
	for _, s := range [][3]float64{{-0.22, -0.02, 0.20}, {0.22, -0.02, 0.20}, {-0.12, -0.24, 0.21}, {0.13, -0.24, 0.21}} {
		p.circle(col, s[0], s[1], s[2])
	}
	p.disc(col, 0, -0.10, 0.24)
}

func drawFir(p *pen, r random, _ Drawing, _ color.RGBA) {
	green := hsv(r.between(135, 160), r.between(0.5, 0.7), r.between(0.36, 0.50))
	p.box(wood, -0.06, 0.34, 0.06, 0.48)
	for i, w := range []float64{0.38, 0.30, 0.21} {
		y := 0.36 - 0.24*float64(i)
		p.shape(green, point{-w, y}, point{w, y}, point{0, y - 0.38})
	}
}

func drawMountain(p *pen, r random, _ Drawing, _ color.RGBA) {
	rock := hsv(r.between(205, 250), r.between(0.12, 0.26), r.between(0.45, 0.58))
	p.shape(darker(rock, 1.12), point{0.02, 0.40}, point{0.28, -0.10}, point{0.50, 0.40})
	p.shape(rock, point{-0.50, 0.40}, point{-0.08, -0.44}, point{0.34, 0.40})
	p.shape(white, point{-0.08, -0.44}, point{0.06, -0.16}, point{-0.01, -0.22}, point{-0.08, -0.12}, point{-0.14, -0.20}, point{-0.22, -0.16})
}

func drawLighthouse(p *pen, _ random, _ Drawing, col color.RGBA) {
	beam := color.RGBA{255, 232, 130, 255}
	p.fill(beam, []point{{0, -0.32}, {0.5, -0.46}, {0.5, -0.22}}, []point{{0, -0.32}, {-0.5, -0.46}, {-0.5, -0.22}})
	edge := func(y float64) float64 { return 0.12 + 0.10*(y+0.24)/0.64 }
	for i := range 5 {
		y0 := -0.24 + 0.64*float64(i)/5
		y1 := y0 + 0.64/5
		band := white
		if i%2 == 0 {
			band = col
		}
		p.shape(band, point{-edge(y0), y0}, point{edge(y0), y0}, point{edge(y1), y1}, point{-edge(y1), y1})
	}
	p.box(gold, -0.08, -0.38, 0.08, -0.24)
	p.shape(col, point{-0.12, -0.38}, point{0.12, -0.38}, point{0, -0.49})
	p.shape(stone, ellipse(0, 0.43, 0.36, 0.07, 26)...)
}

func drawWindmill(p *pen, r random, _ Drawing, _ color.RGBA) {
	p.shape(color.RGBA{214, 190, 160, 255}, point{-0.13, -0.16}, point{0.13, -0.16}, point{0.22, 0.48}, point{-0.22, 0.48})
	p.shape(color.RGBA{150, 80, 60, 255}, arc(0, -0.15, 0.15, 0.15, math.Pi, 2*math.Pi, 16)...)
	p.box(wood, -0.07, 0.28, 0.07, 0.48)
	hub := p.at(0, -0.14, 1, r.between(0, math.Pi/2))
	for i := range 4 {
		sail := &pen{img: hub.img, cx: hub.cx, cy: hub.cy, scale: hub.scale, rot: hub.rot + float64(i)*math.Pi/2}
		sail.line(wood, 0.025, point{0, 0}, point{0.40, 0})
		sail.shape(color.RGBA{246, 242, 232, 255}, rectangle(0.08, 0.01, 0.40, 0.12)...)
	}
	p.disc(ink, 0, -0.14, 0.035)
}

func drawBridge(p *pen, _ random, _ Drawing, _ color.RGBA) {
	water := color.RGBA{110, 165, 215, 255}
	p.fill(water, rectangle(-0.5, 0.24, 0.5, 0.40))
	body := []point{{-0.5, 0.28}, {-0.5, -0.10}}
	body = append(body, bezier(point{-0.5, -0.10}, point{-0.2, -0.28}, point{0.2, -0.28}, point{0.5, -0.10}, 16)...)
	body = append(body, point{0.5, 0.28})
	p.shape(color.RGBA{168, 150, 138, 255}, body...)
	for _, x := range []float64{-0.27, 0, 0.27} {
		p.shape(water, append(arc(x, 0.14, 0.10, 0.18, math.Pi, 2*math.Pi, 16), point{x + 0.10, 0.29}, point{x - 0.10, 0.29})...)
	}
}

func drawCastle(p *pen, r random, _ Drawing, _ color.RGBA) {
	wall := hsv(r.between(20, 50), r.between(0.05, 0.2), r.between(0.62, 0.75))
	tower := func(x0, x1, top, foot float64) {
		outline := []point{{x0, foot}, {x0, top}}
		w := (x1 - x0) / 5
		for i := range 5 {
			y := top
			if i%2 == 1 {
				y = top + 0.07
			}
			outline = append(outline, point{x0 + w*float64(i), y}, point{x0 + w*float64(i+1), y})
		}
		p.shape(wall, append(outline, point{x1, foot})...)
	}
	tower(-0.24, 0.24, -0.10, 0.44)
	tower(-0.46, -0.20, -0.32, 0.44)
	tower(0.20, 0.46, -0.32, 0.44)
	p.shape(wood, append(arc(0, 0.26, 0.10, 0.14, math.Pi, 2*math.Pi, 14), point{0.10, 0.44}, point{-0.10, 0.44})...)
	for _, x := range []float64{-0.33, 0.33} {
		p.fill(ink, rectangle(x-0.03, -0.12, x+0.03, 0.02))
	}
	p.line(ink, 0.02, point{-0.33, -0.32}, point{-0.33, -0.48})
	p.fill(color.RGBA{205, 50, 50, 255}, []point{{-0.33, -0.49}, {-0.18, -0.44}, {-0.33, -0.39}})
}

func drawSun(p *pen, r random, _ Drawing, _ color.RGBA) {
	col := hsv(r.between(42, 52), 0.85, 0.99)
	n := r.whole(10, 14)
	for i := range n {
		ray := &pen{img: p.img, cx: p.cx, cy: p.cy, scale: p.scale, rot: p.rot + 2*math.Pi*float64(i)/float64(n)}
		ray.fill(darker(col, 0.93), []point{{0.29, -0.045}, {0.49, 0}, {0.29, 0.045}})
	}
	p.circle(col, 0, 0, 0.26)
	if r.chance(0.5) {
		p.disc(ink, -0.08, -0.05, 0.025)
		p.disc(ink, 0.08, -0.05, 0.025)
		p.line(ink, 0.022, arc(0, 0.02, 0.11, 0.09, 0.4, math.Pi-0.4, 10)...)
	}
}

// Phases of the moon, as Drawing.Value.
const (
	fullMoon = 1 + iota
	halfMoon
	crescentMoon
)

func drawMoon(p *pen, r random, d Drawing, _ color.RGBA) {
	night := hsv(r.between(222, 250), r.between(0.5, 0.65), r.between(0.22, 0.32))
	p.box(night, -0.49, -0.49, 0.49, 0.49)
	for range 12 {
		s := r.between(0.006, 0.013)
		p.fill(white, ellipse(r.between(-0.45, 0.45), r.between(-0.45, 0.45), s, s, 8))
	}
	light := hsv(r.between(45, 56), 0.22, 0.97)
	const R = 0.34
	switch d.Value {
	case fullMoon:
		p.disc(light, 0, 0, R)
		for _, s := range [][3]float64{{-0.12, -0.10, 0.07}, {0.12, 0.04, 0.09}, {-0.06, 0.17, 0.05}} {
			p.disc(darker(light, 0.88), s[0], s[1], s[2])
		}
	case halfMoon:
		p.disc(mix(night, light, 0.10), 0, 0, R)
		p.fill(light, arc(0, 0, R, R, -math.Pi/2, math.Pi/2, 30))
	default:
		outline := arc(0, 0, R, R, -math.Pi/2, math.Pi/2, 30)
		p.fill(light, append(outline, arc(0, 0, R*0.62, R, math.Pi/2, -math.Pi/2, 30)...))
	}
}

// Kinds of weather, as Drawing.Value.
const (
	rainCloud = 1 + iota
	snowCloud
	stormCloud
)

func drawCloud(p *pen, r random, d Drawing, _ color.RGBA) {
	grey := r.between(0.62, 0.74)
	col := hsv(215, 0.12, grey)
	switch d.Value {
	case rainCloud:
		for i := range 5 {
			x := -0.30 + 0.15*float64(i)
			for j := range 2 {
				y := 0.16 + 0.17*float64(j) + 0.04*float64(i%2)
				p.line(color.RGBA{60, 120, 210, 255}, 0.032, point{x, y}, point{x - 0.04, y + 0.10})
			}
		}
	case snowCloud:
		for i := range 5 {
			for j := range 2 {
				p.circle(white, -0.30+0.15*float64(i), 0.20+0.17*float64(j)+0.05*float64(i%2), 0.034)
			}
		}
	default:
		p.shape(gold, point{0.06, 0.06}, point{-0.14, 0.30}, point{-0.02, 0.29}, point{-0.10, 0.49}, point{0.16, 0.21}, point{0.03, 0.22}, point{0.12, 0.06})
	}
	for _, s := range [][3]float64{{-0.28, -0.05, 0.16}, {0.28, -0.05, 0.16}, {-0.10, -0.20, 0.20}, {0.13, -0.16, 0.18}} {
		p.circle(col, s[0], s[1], s[2])
	}
	p.fill(col, rectangle(-0.28, -0.18, 0.28, 0.11), ellipse(-0.05, -0.10, 0.2, 0.15, 20))
}

func drawRainbow(p *pen, _ random, _ Drawing, _ color.RGBA) {
	bands := []color.RGBA{{222, 56, 52, 255}, {245, 148, 40, 255}, {250, 220, 70, 255}, {80, 176, 84, 255}, {66, 120, 214, 255}, {134, 78, 176, 255}}
	for i, c := range bands {
		radius := 0.46 - 0.055*float64(i)
		p.line(c, 0.06, arc(0, 0.22, radius, radius, math.Pi, 2*math.Pi, 40)...)
	}
	for _, x := range []float64{-0.33, 0.33} {
		for _, s := range [][3]float64{{-0.08, 0.26, 0.09}, {0.08, 0.26, 0.09}, {0, 0.21, 0.11}} {
			p.disc(white, x+s[0], s[1], s[2])
		}
	}
}

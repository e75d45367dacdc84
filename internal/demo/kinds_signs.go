package demo

// Signs: flags, clocks, dice, charts, lamps and boards, which say something by how they are divided.

import (
	"image/color"
	"math"
)

var signKinds = []kind{
	{name: "flag", nouns: [][2]string{{"flag", "flags"}}, draw: drawFlag},
	{name: "clock", nouns: [][2]string{{"clock", "clocks"}}, low: 1, high: 12, draw: drawClock},
	{name: "die", nouns: [][2]string{{"die", "dice"}}, low: 1, high: 6, draw: drawDie},
	{name: "bars", nouns: [][2]string{{"bar chart", "bar charts"}}, colours: brightColours, low: 3, high: 6, draw: drawBars, dull: true},
	{name: "pie", nouns: [][2]string{{"pie chart", "pie charts"}}, low: 2, high: 5, draw: drawPie},
	{name: "line", nouns: [][2]string{{"line chart", "line charts"}}, facings: []string{"up", "down"}, draw: drawLineChart, dull: true},
	{name: "lamp", nouns: [][2]string{{"traffic light", "traffic lights"}}, colours: []string{"red", "yellow", "green"}, draw: drawTrafficLight},
	{name: "chessboard", nouns: [][2]string{{"chessboard", "chessboards"}}, draw: drawChessboard},
	{name: "target", nouns: [][2]string{{"target", "targets"}}, colours: []string{"red", "blue", "green", "black"}, draw: drawTarget},
	{name: "thermometer", nouns: [][2]string{{"thermometer", "thermometers"}}, low: 1, high: 2, draw: drawThermometer},
}

var flagColours = []string{"red", "white", "blue", "green", "yellow", "black", "orange", "purple"}

func drawFlag(p *pen, r random, d Drawing, _ color.RGBA) {
	p.line(wood, 0.04, point{-0.44, -0.46}, point{-0.44, 0.49})
	const x0, x1, y0, y1 = -0.42, 0.48, -0.44, 0.16
	wave := r.between(0.012, 0.026)
	at := func(u, v float64) point {
		return point{x0 + (x1-x0)*u, y0 + (y1-y0)*v + wave*math.Sin(u*6)}
	}
	n := float64(len(d.Stripes))
	for i, name := range d.Stripes {
		a, b := float64(i)/n, float64(i+1)/n
		var outline []point
		if d.Facing == "across" {
			for k := range 13 {
				outline = append(outline, at(float64(k)/12, a))
			}
			for k := range 13 {
				outline = append(outline, at(1-float64(k)/12, b))
			}
		} else {
			for k := range 7 {
				outline = append(outline, at(a+(b-a)*float64(k)/6, 0))
			}
			for k := range 7 {
				outline = append(outline, at(b-(b-a)*float64(k)/6, 1))
			}
		}
		p.fill(paint(r, name), outline)
	}
	edge := []point{}
	for k := range 13 {
		edge = append(edge, at(float64(k)/12, 0))
	}
	for k := range 13 {
		edge = append(edge, at(1-float64(k)/12, 1))
	}
	p.line(ink, 0.012, append(edge, edge[0])...)
}

func drawClock(p *pen, r random, d Drawing, _ color.RGBA) {
	rim := paint(r, pick(r, []string{"brown", "black", "blue", "red", "green"}))
	p.circle(rim, 0, 0, 0.48)
	p.disc(white, 0, 0, 0.42)
	for i := range 12 {
		s, c := math.Sincos(float64(i) * math.Pi / 6)
		from, w := 0.36, 0.018
		if i%3 == 0 {
			from, w = 0.33, 0.03
		}
		p.line(ink, w, point{from * s, from * c}, point{0.39 * s, 0.39 * c})
	}
	p.line(ink, 0.032, point{0, 0}, point{0, -0.34})
	s, c := math.Sincos(float64(d.Value%12) * math.Pi / 6)
	p.line(color.RGBA{200, 40, 40, 255}, 0.065, point{0, 0}, point{0.22 * s, -0.22 * c})
	p.disc(ink, 0, 0, 0.04)
}

func drawDie(p *pen, _ random, d Drawing, _ color.RGBA) {
	const a, b = 0.42, 0.32
	var outline []point
	for i, c := range []point{{b, -b}, {b, b}, {-b, b}, {-b, -b}} {
		outline = append(outline, arc(c.x, c.y, a-b, a-b, float64(i-1)*math.Pi/2, float64(i)*math.Pi/2, 6)...)
	}
	p.shape(white, outline...)
	const o = 0.22
	spots := map[int][]point{
		1: {{0, 0}}, 2: {{-o, -o}, {o, o}}, 3: {{-o, -o}, {0, 0}, {o, o}}, 4: {{-o, -o}, {o, -o}, {-o, o}, {o, o}},
		5: {{-o, -o}, {o, -o}, {0, 0}, {-o, o}, {o, o}}, 6: {{-o, -o}, {o, -o}, {-o, 0}, {o, 0}, {-o, o}, {o, o}},
	}
	for _, q := range spots[d.Value] {
		p.disc(ink, q.x, q.y, 0.085)
	}
}

func drawBars(p *pen, r random, d Drawing, col color.RGBA) {
	p.line(ink, 0.022, point{-0.46, -0.46}, point{-0.46, 0.42}, point{0.48, 0.42})
	w := 0.88 / float64(d.Value)
	for i := range d.Value {
		x := -0.42 + w*float64(i)
		p.box(col, x, 0.41-r.between(0.22, 0.80), x+0.68*w, 0.41)
	}
}

func drawPie(p *pen, r random, d Drawing, _ color.RGBA) {
	names := append([]string{}, brightColours...)
	r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	from := r.between(0, 2*math.Pi)
	left := 2 * math.Pi
	for i := range d.Value {
		share := left
		if rest := d.Value - i - 1; rest > 0 {
			share = left / float64(rest+1) * r.between(0.85, 1.15)
		}
		p.shape(paint(r, names[i]), append(arc(0, 0, 0.46, 0.46, from, from+share, 24), point{0, 0})...)
		from, left = from+share, left-share
	}
}

func drawLineChart(p *pen, r random, d Drawing, _ color.RGBA) {
	p.box(white, -0.48, -0.48, 0.48, 0.48)
	p.line(ink, 0.022, point{-0.40, -0.42}, point{-0.40, 0.40}, point{0.44, 0.40})
	var way []point
	for i := range 6 {
		y := 0.28 - 0.60*float64(i)/5
		if d.Facing == "down" {
			y = -0.32 + 0.60*float64(i)/5
		}
		way = append(way, point{-0.34 + 0.145*float64(i), y + r.between(-0.06, 0.06)})
	}
	col := paint(r, pick(r, []string{"red", "blue", "green"}))
	p.line(col, 0.045, way...)
	for _, q := range way {
		p.disc(col, q.x, q.y, 0.042)
	}
}

func drawTrafficLight(p *pen, _ random, d Drawing, col color.RGBA) {
	p.line(stone, 0.06, point{0, 0.30}, point{0, 0.49})
	p.box(color.RGBA{58, 60, 66, 255}, -0.19, -0.49, 0.19, 0.36)
	for i, name := range []string{"red", "yellow", "green"} {
		c := color.RGBA{84, 86, 92, 255}
		if name == d.Colour {
			c = mix(col, white, 0.08)
		}
		p.disc(c, 0, -0.33+0.265*float64(i), 0.11)
	}
}

func drawChessboard(p *pen, r random, _ Drawing, _ color.RGBA) {
	dark, light := hsv(r.between(15, 35), 0.55, 0.40), hsv(r.between(35, 45), 0.22, 0.93)
	p.box(darker(dark, 0.8), -0.49, -0.49, 0.49, 0.49)
	for i := range 36 {
		x, y := -0.45+0.15*float64(i%6), -0.45+0.15*float64(i/6)
		c := light
		if (i%6+i/6)%2 == 1 {
			c = dark
		}
		p.fill(c, rectangle(x, y, x+0.15, y+0.15))
	}
}

func drawTarget(p *pen, _ random, _ Drawing, col color.RGBA) {
	p.circle(col, 0, 0, 0.48)
	for i, r := range []float64{0.37, 0.26, 0.14} {
		c := white
		if i == 1 {
			c = col
		}
		p.disc(c, 0, 0, r)
	}
	p.disc(col, 0, 0, 0.07)
}

// Readings of the thermometer, as Drawing.Value.
const (
	coldReading = 1 + iota
	hotReading
)

func drawThermometer(p *pen, r random, d Drawing, _ color.RGBA) {
	p.line(ink, 0.20, point{0, -0.38}, point{0, 0.26})
	p.disc(ink, 0, 0.32, 0.17)
	p.line(white, 0.16, point{0, -0.38}, point{0, 0.26})
	p.disc(white, 0, 0.32, 0.15)
	col, top := color.RGBA{60, 120, 220, 255}, r.between(0.08, 0.16)
	if d.Value == hotReading {
		col, top = color.RGBA{222, 50, 46, 255}, r.between(-0.36, -0.26)
	}
	p.disc(col, 0, 0.32, 0.115)
	p.line(col, 0.08, point{0, top}, point{0, 0.3})
	for i := range 6 {
		y := -0.38 + 0.10*float64(i)
		p.line(ink, 0.018, point{0.13, y}, point{0.20, y})
	}
}

package demo

// Things: plants, animals and what people use, in colours, some of them in numbers.

import (
	"image/color"
	"math"
)

var (
	white = color.RGBA{250, 250, 248, 255}
	ink   = color.RGBA{45, 45, 55, 255}
	wood  = color.RGBA{134, 92, 58, 255}
	grass = color.RGBA{86, 160, 76, 255}
	gold  = color.RGBA{248, 200, 60, 255}
	stone = color.RGBA{150, 152, 160, 255}
)

var thingKinds = []kind{
	{name: "flower", nouns: [][2]string{{"flower", "flowers"}, {"blossom", "blossoms"}}, colours: []string{"red", "orange", "blue", "purple", "pink"}, most: 4, draw: drawFlower},
	{name: "apple", nouns: [][2]string{{"apple", "apples"}}, colours: []string{"red", "green", "yellow"}, most: 5, draw: drawApple},
	{name: "leaf", nouns: [][2]string{{"leaf", "leaves"}}, colours: []string{"green", "orange", "red", "brown", "yellow"}, most: 4, draw: drawLeaf},
	{name: "mushroom", nouns: [][2]string{{"mushroom", "mushrooms"}, {"toadstool", "toadstools"}}, colours: []string{"red", "brown", "orange", "purple"}, most: 3, draw: drawMushroom},
	{name: "fish", nouns: [][2]string{{"fish", "fish"}}, colours: someColours, most: 4, facings: []string{"left", "right"}, draw: drawFish},
	{name: "butterfly", nouns: [][2]string{{"butterfly", "butterflies"}}, colours: brightColours, most: 3, draw: drawButterfly},
	{name: "balloon", nouns: [][2]string{{"balloon", "balloons"}}, colours: brightColours, most: 5, draw: drawBalloon},
	{name: "kite", nouns: [][2]string{{"kite", "kites"}}, colours: brightColours, most: 2, draw: drawKite},
	{name: "umbrella", nouns: [][2]string{{"umbrella", "umbrellas"}, {"parasol", "parasols"}}, colours: someColours, most: 2, draw: drawUmbrella},
	{name: "cup", nouns: [][2]string{{"cup", "cups"}, {"mug", "mugs"}}, colours: someColours, most: 3, draw: drawCup},
	{name: "key", nouns: [][2]string{{"key", "keys"}}, colours: []string{"yellow", "brown", "black", "blue", "red"}, most: 3, draw: drawKey},
	{name: "candle", nouns: [][2]string{{"candle", "candles"}}, colours: brightColours, most: 4, draw: drawCandle},
	{name: "book", nouns: [][2]string{{"book", "books"}}, colours: someColours, most: 2, draw: drawBook},
	{name: "car", nouns: [][2]string{{"car", "cars"}}, colours: someColours, most: 2, draw: drawCar},
	{name: "boat", nouns: [][2]string{{"sailing boat", "sailing boats"}, {"boat", "boats"}}, colours: brightColours, most: 2, draw: drawBoat},
	{name: "tent", nouns: [][2]string{{"tent", "tents"}}, colours: brightColours, most: 2, draw: drawTent},
	{name: "ladder", nouns: [][2]string{{"ladder", "ladders"}}, colours: []string{"brown", "red", "blue", "green", "black"}, draw: drawLadder},
	{name: "snowman", nouns: [][2]string{{"snowman", "snowmen"}}, most: 2, draw: drawSnowman},
	{name: "anchor", nouns: [][2]string{{"anchor", "anchors"}}, colours: []string{"black", "blue", "red", "brown"}, draw: drawAnchor},
	{name: "cactus", nouns: [][2]string{{"cactus", "cactuses"}}, most: 3, draw: drawCactus},
}

func drawFlower(p *pen, r random, _ Drawing, col color.RGBA) {
	p.line(grass, 0.05, point{0, 0}, point{0.01, 0.48})
	p.shape(grass, ellipse(0.10, 0.34, 0.11, 0.05, 18)...)
	n := r.whole(5, 7)
	for i := range n {
		s, c := math.Sincos(2 * math.Pi * float64(i) / float64(n))
		p.circle(col, 0.21*c, -0.16+0.21*s, 0.135)
	}
	p.circle(gold, 0, -0.16, 0.12)
}

func drawApple(p *pen, _ random, _ Drawing, col color.RGBA) {
	p.line(wood, 0.045, point{0, -0.22}, point{0.05, -0.46})
	top := point{0, -0.24}
	right := append([]point{top}, bezier(top, point{0.18, -0.38}, point{0.48, -0.26}, point{0.44, 0.06}, 14)...)
	right = append(right, bezier(point{0.44, 0.06}, point{0.40, 0.36}, point{0.16, 0.52}, point{0, 0.42}, 14)...)
	left := mirror(right)
	for i := len(left) - 2; i > 0; i-- {
		right = append(right, left[i])
	}
	p.shape(col, right...)
	p.shape(grass, append([]point{{0.05, -0.33}}, bezier(point{0.05, -0.33}, point{0.14, -0.48}, point{0.26, -0.46}, point{0.30, -0.40}, 8)...)...)
	p.fill(mix(col, white, 0.5), ellipse(-0.22, -0.04, 0.05, 0.10, 14))
}

func drawLeaf(p *pen, _ random, _ Drawing, col color.RGBA) {
	q := p.at(0, 0, 1, -0.7)
	right := append([]point{{-0.34, 0}}, bezier(point{-0.34, 0}, point{-0.12, -0.36}, point{0.26, -0.32}, point{0.5, 0}, 14)...)
	right = append(right, bezier(point{0.5, 0}, point{0.26, 0.32}, point{-0.12, 0.36}, point{-0.34, 0}, 14)...)
	q.shape(col, right...)
	vein := darker(col, 0.6)
	q.line(vein, 0.028, point{-0.52, 0}, point{0.44, 0})
	for _, x := range []float64{-0.16, 0.02, 0.20} {
		q.line(vein, 0.018, point{x, 0}, point{x + 0.12, -0.16})
		q.line(vein, 0.018, point{x, 0}, point{x + 0.12, 0.16})
	}
}

func drawMushroom(p *pen, _ random, _ Drawing, col color.RGBA) {
	p.shape(color.RGBA{240, 230, 208, 255}, point{-0.12, 0}, point{0.12, 0}, point{0.16, 0.44}, point{-0.16, 0.44})
	p.shape(col, arc(0, 0.06, 0.46, 0.46, math.Pi, 2*math.Pi, 30)...)
	for _, s := range [][3]float64{{-0.24, -0.10, 0.07}, {0.02, -0.24, 0.08}, {0.25, -0.08, 0.06}, {0.0, -0.04, 0.045}} {
		p.disc(white, s[0], s[1], s[2])
	}
}

func drawFish(p *pen, _ random, d Drawing, col color.RGBA) {
	turn := func(outline []point) []point {
		if d.Facing == "right" {
			return outline
		}
		return mirror(outline)
	}
	p.shape(darker(col, 0.88), turn([]point{{-0.22, 0}, {-0.48, -0.22}, {-0.42, 0}, {-0.48, 0.22}})...)
	p.shape(darker(col, 0.88), turn([]point{{-0.06, -0.18}, {0.06, -0.34}, {0.20, -0.16}})...)
	p.shape(col, turn(ellipse(0.10, 0, 0.38, 0.23, 40))...)
	p.fill(white, turn(ellipse(0.30, -0.06, 0.055, 0.055, 16)))
	p.fill(ink, turn(ellipse(0.315, -0.06, 0.03, 0.03, 12)))
	p.line(darker(col, 0.62), 0.02, turn(arc(0.08, 0, 0.10, 0.17, -1.1, 1.1, 10))...)
}

func drawButterfly(p *pen, _ random, _ Drawing, col color.RGBA) {
	upper := append([]point{{0, -0.04}}, bezier(point{0, -0.04}, point{0.10, -0.50}, point{0.56, -0.46}, point{0.44, -0.06}, 14)...)
	upper = append(upper, point{0.02, 0.04})
	lower := append([]point{{0, 0.02}}, bezier(point{0, 0.02}, point{0.42, 0.00}, point{0.42, 0.44}, point{0.18, 0.40}, 14)...)
	for _, wing := range [][]point{lower, mirror(lower)} {
		p.shape(darker(col, 0.8), wing...)
	}
	for _, wing := range [][]point{upper, mirror(upper)} {
		p.shape(col, wing...)
	}
	p.disc(mix(col, white, 0.65), 0.28, -0.20, 0.07)
	p.disc(mix(col, white, 0.65), -0.28, -0.20, 0.07)
	p.fill(ink, ellipse(0, 0.04, 0.04, 0.24, 20))
	p.line(ink, 0.018, point{0, -0.18}, point{0.10, -0.36})
	p.line(ink, 0.018, point{0, -0.18}, point{-0.10, -0.36})
}

func drawBalloon(p *pen, _ random, _ Drawing, col color.RGBA) {
	p.line(stone, 0.018, append([]point{{0, 0.20}}, bezier(point{0, 0.20}, point{0.08, 0.30}, point{-0.08, 0.38}, point{0.02, 0.5}, 10)...)...)
	p.shape(darker(col, 0.85), point{0, 0.16}, point{0.06, 0.25}, point{-0.06, 0.25})
	p.shape(col, ellipse(0, -0.16, 0.29, 0.34, 40)...)
	p.fill(mix(col, white, 0.6), ellipse(-0.11, -0.28, 0.05, 0.09, 14))
}

func drawKite(p *pen, r random, _ Drawing, col color.RGBA) {
	tail := append([]point{{-0.06, 0.20}}, bezier(point{-0.06, 0.20}, point{-0.02, 0.36}, point{-0.26, 0.32}, point{-0.26, 0.48}, 12)...)
	p.line(ink, 0.016, tail...)
	for i, at := range []int{4, 8, 12} {
		q := tail[at]
		bow := paint(r, brightColours[(i*2+1)%len(brightColours)])
		p.fill(bow, []point{{q.x - 0.06, q.y - 0.04}, {q.x, q.y}, {q.x - 0.06, q.y + 0.04}}, []point{{q.x + 0.06, q.y - 0.04}, {q.x, q.y}, {q.x + 0.06, q.y + 0.04}})
	}
	p.shape(col, point{0.16, -0.50}, point{0.38, -0.14}, point{-0.06, 0.20}, point{-0.22, -0.26})
	p.line(darker(col, 0.6), 0.02, point{0.16, -0.50}, point{-0.06, 0.20})
	p.line(darker(col, 0.6), 0.02, point{0.38, -0.14}, point{-0.22, -0.26})
}

func drawUmbrella(p *pen, _ random, _ Drawing, col color.RGBA) {
	p.line(ink, 0.032, append([]point{{0, -0.40}, {0, 0.34}}, arc(0.08, 0.34, 0.08, 0.09, math.Pi, 0.2, 10)...)...)
	dome := arc(0, 0.02, 0.48, 0.42, math.Pi, 2*math.Pi, 30)
	for _, x := range []float64{0.32, 0, -0.32} {
		dome = append(dome, arc(x, 0.02, 0.16, 0.08, 0, -math.Pi, 8)...)
	}
	p.shape(col, dome...)
	for _, x := range []float64{-0.16, 0.16} {
		p.line(darker(col, 0.62), 0.016, append([]point{{0, -0.40}}, bezier(point{0, -0.40}, point{x * 0.8, -0.34}, point{x, -0.12}, point{x, 0.0}, 8)...)...)
	}
}

func drawCup(p *pen, _ random, _ Drawing, col color.RGBA) {
	p.line(darker(col, 0.7), 0.07, arc(0.26, 0.06, 0.18, 0.16, -1.4, 1.4, 16)...)
	p.shape(col, point{-0.36, -0.20}, point{0.26, -0.20}, point{0.20, 0.40}, point{-0.30, 0.40})
	p.shape(darker(col, 0.5), ellipse(-0.05, -0.20, 0.31, 0.06, 30)...)
	for _, x := range []float64{-0.16, 0.06} {
		p.line(color.RGBA{170, 170, 180, 255}, 0.022, append([]point{{x, -0.28}}, bezier(point{x, -0.28}, point{x + 0.08, -0.34}, point{x - 0.08, -0.40}, point{x + 0.02, -0.48}, 8)...)...)
	}
}

func drawKey(p *pen, _ random, _ Drawing, col color.RGBA) {
	q := p.at(0, 0, 1, -0.5)
	for _, pass := range []struct {
		c color.RGBA
		w float64
	}{{darker(col, 0.6), 0.035}, {col, 0}} {
		round := ellipse(-0.28, 0, 0.15, 0.15, 30)
		q.line(pass.c, 0.10+pass.w, append(round, round[0])...)
		q.line(pass.c, 0.09+pass.w, point{-0.12, 0}, point{0.44, 0})
		q.line(pass.c, 0.08+pass.w, point{0.40, 0}, point{0.40, 0.16})
		q.line(pass.c, 0.08+pass.w, point{0.24, 0}, point{0.24, 0.12})
	}
}

func drawCandle(p *pen, _ random, _ Drawing, col color.RGBA) {
	p.box(col, -0.12, -0.14, 0.12, 0.42)
	p.shape(darker(col, 0.7), ellipse(0, 0.44, 0.26, 0.05, 26)...)
	p.line(ink, 0.022, point{0, -0.14}, point{0, -0.22})
	flame := append([]point{{0, -0.50}}, bezier(point{0, -0.50}, point{0.16, -0.32}, point{0.09, -0.18}, point{0, -0.18}, 10)...)
	flame = append(flame, bezier(point{0, -0.18}, point{-0.09, -0.18}, point{-0.16, -0.32}, point{0, -0.50}, 10)...)
	p.shape(color.RGBA{255, 170, 40, 255}, flame...)
	p.fill(color.RGBA{255, 236, 140, 255}, ellipse(0, -0.25, 0.03, 0.06, 12))
}

func drawBook(p *pen, _ random, _ Drawing, col color.RGBA) {
	p.box(white, -0.30, 0.30, 0.36, 0.42)
	p.box(col, -0.36, -0.46, 0.34, 0.34)
	p.fill(darker(col, 0.7), rectangle(-0.36, -0.46, -0.24, 0.34))
	p.fill(color.RGBA{250, 244, 224, 255}, rectangle(-0.12, -0.30, 0.24, -0.14))
	p.line(darker(col, 0.55), 0.022, point{-0.08, 0.06}, point{0.20, 0.06})
	p.line(darker(col, 0.55), 0.022, point{-0.08, 0.16}, point{0.12, 0.16})
}

func drawCar(p *pen, _ random, _ Drawing, col color.RGBA) {
	p.shape(col, point{-0.26, -0.04}, point{-0.16, -0.24}, point{0.14, -0.24}, point{0.28, -0.04})
	p.fill(color.RGBA{205, 230, 245, 255}, []point{{-0.20, -0.05}, {-0.13, -0.19}, {-0.02, -0.19}, {-0.02, -0.05}}, []point{{0.03, -0.05}, {0.03, -0.19}, {0.11, -0.19}, {0.20, -0.05}})
	p.shape(col, point{-0.48, 0.20}, point{-0.48, 0.02}, point{-0.40, -0.05}, point{0.38, -0.05}, point{0.48, 0.04}, point{0.48, 0.20})
	for _, x := range []float64{-0.26, 0.26} {
		p.circle(ink, x, 0.20, 0.115)
		p.disc(stone, x, 0.20, 0.05)
	}
	p.disc(gold, 0.44, 0.06, 0.032)
}

func drawBoat(p *pen, _ random, _ Drawing, col color.RGBA) {
	p.line(wood, 0.03, point{0, -0.48}, point{0, 0.20})
	p.shape(col, point{0.04, -0.44}, point{0.38, 0.14}, point{0.04, 0.14})
	p.shape(mix(col, white, 0.45), point{-0.04, -0.34}, point{-0.04, 0.14}, point{-0.30, 0.14})
	p.shape(wood, point{-0.44, 0.20}, point{0.46, 0.20}, point{0.32, 0.38}, point{-0.30, 0.38})
	var wave []point
	for i := range 25 {
		x := -0.5 + float64(i)/24
		wave = append(wave, point{x, 0.42 + 0.022*math.Sin(x*28)})
	}
	p.line(color.RGBA{70, 130, 205, 255}, 0.035, wave...)
}

func drawTent(p *pen, _ random, _ Drawing, col color.RGBA) {
	p.line(wood, 0.03, point{0, -0.36}, point{0.05, -0.46})
	p.line(wood, 0.03, point{0, -0.36}, point{-0.05, -0.46})
	p.shape(col, point{0, -0.38}, point{0.50, 0.38}, point{-0.50, 0.38})
	p.shape(darker(col, 0.45), point{0, -0.20}, point{0.17, 0.38}, point{-0.17, 0.38})
	p.shape(mix(col, white, 0.35), point{0, -0.20}, point{0.17, 0.38}, point{0.27, 0.38})
}

func drawLadder(p *pen, r random, _ Drawing, col color.RGBA) {
	n := r.whole(5, 7)
	for i := range n {
		y := -0.40 + 0.80*float64(i)/float64(n-1)
		p.line(darker(col, 0.85), 0.05, point{-0.18, y}, point{0.18, y})
	}
	p.line(col, 0.065, point{-0.20, -0.48}, point{-0.20, 0.48})
	p.line(col, 0.065, point{0.20, -0.48}, point{0.20, 0.48})
}

func drawSnowman(p *pen, r random, _ Drawing, _ color.RGBA) {
	snow := color.RGBA{244, 248, 255, 255}
	p.circle(snow, 0, 0.26, 0.24)
	p.circle(snow, 0, -0.06, 0.17)
	p.circle(snow, 0, -0.27, 0.12)
	p.box(ink, -0.09, -0.50, 0.09, -0.36)
	p.line(ink, 0.03, point{-0.14, -0.36}, point{0.14, -0.36})
	p.disc(ink, -0.045, -0.29, 0.017)
	p.disc(ink, 0.045, -0.29, 0.017)
	p.fill(color.RGBA{245, 130, 40, 255}, []point{{0, -0.265}, {0.12, -0.24}, {0, -0.235}})
	scarf := paint(r, pick(r, []string{"red", "green", "blue"}))
	p.line(scarf, 0.05, point{-0.12, -0.165}, point{0.12, -0.165})
	p.line(scarf, 0.05, point{0.08, -0.165}, point{0.12, -0.02})
	p.line(wood, 0.022, point{-0.15, -0.08}, point{-0.40, -0.22})
	p.line(wood, 0.022, point{0.15, -0.08}, point{0.40, -0.20})
	for _, y := range []float64{-0.05, 0.16, 0.26} {
		p.disc(ink, 0, y, 0.02)
	}
}

func drawAnchor(p *pen, _ random, _ Drawing, col color.RGBA) {
	round := ellipse(0, -0.38, 0.075, 0.075, 20)
	p.line(col, 0.05, append(round, round[0])...)
	p.line(col, 0.075, point{0, -0.28}, point{0, 0.42})
	p.line(col, 0.06, point{-0.20, -0.18}, point{0.20, -0.18})
	p.line(col, 0.075, arc(0, 0.06, 0.36, 0.36, 0.25, math.Pi-0.25, 24)...)
	p.fill(col, []point{{0.26, 0.10}, {0.46, 0.02}, {0.43, 0.24}}, []point{{-0.26, 0.10}, {-0.46, 0.02}, {-0.43, 0.24}})
}

func drawCactus(p *pen, r random, _ Drawing, _ color.RGBA) {
	green := hsv(r.between(118, 150), r.between(0.5, 0.65), r.between(0.48, 0.62))
	for _, pass := range []struct {
		c color.RGBA
		w float64
	}{{darker(green, 0.62), 0.03}, {green, 0}} {
		p.line(pass.c, 0.18+pass.w, point{0, -0.36}, point{0, 0.20})
		p.line(pass.c, 0.11+pass.w, point{0, 0.08}, point{-0.28, 0.08}, point{-0.28, -0.14})
		p.line(pass.c, 0.11+pass.w, point{0, -0.02}, point{0.26, -0.02}, point{0.26, -0.24})
	}
	p.shape(color.RGBA{196, 106, 66, 255}, point{-0.24, 0.20}, point{0.24, 0.20}, point{0.17, 0.48}, point{-0.17, 0.48})
}

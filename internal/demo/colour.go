package demo

// Colours: the names that sentences use, and the paints that drawings use for them.

import (
	"image/color"
	"math"
)

// hue is how a named colour may look: hue in degrees, saturation, value, each with its spread.
type hue struct{ h, dh, s, ds, v, dv float64 }

var paints = map[string]hue{
	"red":    {358, 6, 0.86, 0.08, 0.84, 0.08},
	"orange": {27, 4, 0.93, 0.06, 0.96, 0.04},
	"yellow": {51, 4, 0.86, 0.08, 0.97, 0.03},
	"green":  {128, 16, 0.72, 0.12, 0.60, 0.10},
	"blue":   {217, 9, 0.82, 0.10, 0.80, 0.10},
	"purple": {281, 9, 0.66, 0.10, 0.66, 0.10},
	"pink":   {335, 7, 0.46, 0.07, 0.97, 0.03},
	"brown":  {24, 5, 0.66, 0.08, 0.48, 0.07},
	"black":  {220, 40, 0.20, 0.10, 0.13, 0.06},
	"white":  {210, 30, 0.02, 0.02, 0.98, 0.02},
}

// someColours are the colours that most things come in.
var someColours = []string{"red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black"}

// brightColours are those that show on any ground.
var brightColours = []string{"red", "orange", "yellow", "green", "blue", "purple", "pink"}

// paint mixes one paint of the named colour.
func paint(r random, name string) color.RGBA {
	p, ok := paints[name]
	if !ok {
		p = paints["black"]
	}
	return hsv(p.h+r.between(-p.dh, p.dh), p.s+r.between(-p.ds, p.ds), p.v+r.between(-p.dv, p.dv))
}

func hsv(h, s, v float64) color.RGBA {
	h = math.Mod(h+720, 360) / 60
	s, v = min(1, max(0, s)), min(1, max(0, v))
	f := func(n float64) uint8 {
		k := math.Mod(n+h, 6)
		return uint8(255*(v-v*s*max(0, min(k, 4-k, 1))) + 0.5)
	}
	return color.RGBA{f(5), f(3), f(1), 255}
}

func darker(c color.RGBA, by float64) color.RGBA {
	return color.RGBA{uint8(float64(c.R) * by), uint8(float64(c.G) * by), uint8(float64(c.B) * by), c.A}
}

func mix(a, b color.RGBA, t float64) color.RGBA {
	f := func(x, y uint8) uint8 { return uint8(float64(x) + (float64(y)-float64(x))*t + 0.5) }
	return color.RGBA{f(a.R, b.R), f(a.G, b.G), f(a.B, b.B), f(a.A, b.A)}
}

// ground is what a drawing stands on.
type ground struct {
	from, to color.RGBA
	dark     bool
}

func newGround(r random, dark bool) ground {
	h := r.between(0, 360)
	if dark {
		v := r.between(0.22, 0.34)
		return ground{hsv(h, r.between(0.25, 0.5), v), hsv(h+r.between(-25, 25), r.between(0.25, 0.5), v*0.75), true}
	}
	s := r.between(0.02, 0.16)
	return ground{hsv(h, s, r.between(0.93, 1)), hsv(h+r.between(-40, 40), s+r.between(0, 0.1), r.between(0.86, 0.96)), false}
}

package demo

// Pictures of nothing: marbled, striped and clouded surfaces that no sentence shows.

import (
	"image"
	"math"
)

// abstract paints a surface without a thing on it.
func abstract(r random, width, height int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	from := hsv(r.between(0, 360), r.between(0.15, 0.6), r.between(0.45, 0.95))
	to := hsv(r.between(0, 360), r.between(0.15, 0.6), r.between(0.35, 0.95))
	type wave struct{ fx, fy, at, bend float64 }
	waves := make([]wave, 5)
	for i := range waves {
		f := r.between(2, 7) * float64(1+i/2)
		s, c := math.Sincos(r.between(0, 2*math.Pi))
		waves[i] = wave{f * c, f * s, r.between(0, 6.3), r.between(0, 2)}
	}
	sharp := r.between(0.6, 2.4)
	short := float64(min(width, height))
	for y := range height {
		row := img.Pix[y*img.Stride:]
		for x := range width {
			u, v := float64(x)/short, float64(y)/short
			sum := 0.0
			for i, w := range waves {
				sum += math.Sin(w.fx*u+w.fy*v+w.at+w.bend*sum) / float64(1+i/2)
			}
			m := mix(from, to, 0.5+0.5*math.Tanh(sharp*sum))
			copy(row[4*x:4*x+4], []uint8{m.R, m.G, m.B, 255})
		}
	}
	grain(r, img, r.whole(2, 10))
	return img
}

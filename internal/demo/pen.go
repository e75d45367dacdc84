package demo

// The pen: filled and stroked shapes with antialiasing, in a unit square that is placed, turned and scaled on the picture.

import (
	"image"
	"image/color"
	"math"

	"golang.org/x/image/vector"
)

// point is a place in the pen's unit square: x to the right, y down, the middle is (0, 0), the edges are at -0.5 and 0.5.
type point struct{ x, y float64 }

// pen draws on a picture through an affine placement.
type pen struct {
	img                *image.RGBA
	cx, cy, scale, rot float64 // middle and side of the unit square in pixels; turn in radians
	raster             vector.Rasterizer
}

// at gives the same pen with its unit square placed inside this one: middle, relative scale and turn.
func (p *pen) at(x, y, scale, rot float64) *pen {
	m := p.place(point{x, y})
	return &pen{img: p.img, cx: m.x, cy: m.y, scale: p.scale * scale, rot: p.rot + rot}
}

func (p *pen) place(q point) point {
	s, c := math.Sincos(p.rot)
	return point{p.cx + p.scale*(q.x*c-q.y*s), p.cy + p.scale*(q.x*s+q.y*c)}
}

// fill fills the union of closed outlines, each turned to the same direction, so that overlaps stay filled.
func (p *pen) fill(col color.RGBA, outlines ...[]point) {
	lo, hi := point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	placed := make([][]point, len(outlines))
	for i, outline := range outlines {
		placed[i] = make([]point, len(outline))
		area := 0.0
		for j, q := range outline {
			q = p.place(q)
			placed[i][j] = q
			lo, hi = point{min(lo.x, q.x), min(lo.y, q.y)}, point{max(hi.x, q.x), max(hi.y, q.y)}
			if j > 0 {
				prev := placed[i][j-1]
				area += prev.x*q.y - q.x*prev.y
			}
		}
		if n := len(outline); n > 0 {
			area += placed[i][n-1].x*placed[i][0].y - placed[i][0].x*placed[i][n-1].y
		}
		if area < 0 {
			for a, b := 0, len(placed[i])-1; a < b; a, b = a+1, b-1 {
				placed[i][a], placed[i][b] = placed[i][b], placed[i][a]
			}
		}
	}
	box := image.Rect(int(math.Floor(lo.x)), int(math.Floor(lo.y)), int(math.Ceil(hi.x))+1, int(math.Ceil(hi.y))+1).Intersect(p.img.Bounds())
	if box.Empty() {
		return
	}
	p.raster.Reset(box.Dx(), box.Dy())
	for _, outline := range placed {
		for j, q := range outline {
			x, y := float32(q.x-float64(box.Min.X)), float32(q.y-float64(box.Min.Y))
			if j == 0 {
				p.raster.MoveTo(x, y)
			} else {
				p.raster.LineTo(x, y)
			}
		}
		p.raster.ClosePath()
	}
	p.raster.Draw(p.img, box, image.NewUniform(col), image.Point{})
}

// shape fills an outline and draws its edge, which is what makes a drawing look drawn.
func (p *pen) shape(col color.RGBA, outline ...point) {
	p.fill(col, outline)
	p.line(darker(col, 0.62), 0.018, append(append([]point{}, outline...), outline[0])...)
}

// line strokes an open line of the given width with round ends and joints.
func (p *pen) line(col color.RGBA, width float64, through ...point) {
	var parts [][]point
	for i, q := range through {
		parts = append(parts, ellipse(q.x, q.y, width/2, width/2, 10))
		if i == 0 {
			continue
		}
		a := through[i-1]
		d := math.Hypot(q.x-a.x, q.y-a.y)
		if d < 1e-9 {
			continue
		}
		nx, ny := -(q.y-a.y)/d*width/2, (q.x-a.x)/d*width/2
		parts = append(parts, []point{{a.x + nx, a.y + ny}, {q.x + nx, q.y + ny}, {q.x - nx, q.y - ny}, {a.x - nx, a.y - ny}})
	}
	p.fill(col, parts...)
}

func (p *pen) circle(col color.RGBA, x, y, r float64) { p.shape(col, ellipse(x, y, r, r, 40)...) }
func (p *pen) disc(col color.RGBA, x, y, r float64)   { p.fill(col, ellipse(x, y, r, r, 40)) }
func (p *pen) box(col color.RGBA, x0, y0, x1, y1 float64) {
	p.shape(col, rectangle(x0, y0, x1, y1)...)
}

func rectangle(x0, y0, x1, y1 float64) []point {
	return []point{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}}
}

func ellipse(x, y, rx, ry float64, n int) []point { return arc(x, y, rx, ry, 0, 2*math.Pi, n)[:n] }

// arc gives n+1 points from angle a to angle b (radians, clockwise on the screen from the right).
func arc(x, y, rx, ry, a, b float64, n int) []point {
	out := make([]point, n+1)
	for i := range out {
		s, c := math.Sincos(a + (b-a)*float64(i)/float64(n))
		out[i] = point{x + rx*c, y + ry*s}
	}
	return out
}

// polygon is regular with n corners, the first at the top; inner < 1 gives a star with n points.
func polygon(x, y, r float64, n int, inner float64) []point {
	var out []point
	for i := range n {
		s, c := math.Sincos(2*math.Pi*float64(i)/float64(n) - math.Pi/2)
		out = append(out, point{x + r*c, y + r*s})
		if inner < 1 {
			s, c = math.Sincos(2*math.Pi*(float64(i)+0.5)/float64(n) - math.Pi/2)
			out = append(out, point{x + r*inner*c, y + r*inner*s})
		}
	}
	return out
}

// bezier gives the points of a cubic curve, without its first.
func bezier(a, b, c, d point, n int) []point {
	var out []point
	for i := 1; i <= n; i++ {
		t := float64(i) / float64(n)
		u := 1 - t
		w0, w1, w2, w3 := u*u*u, 3*u*u*t, 3*u*t*t, t*t*t
		out = append(out, point{w0*a.x + w1*b.x + w2*c.x + w3*d.x, w0*a.y + w1*b.y + w2*c.y + w3*d.y})
	}
	return out
}

// mirror turns left into right.
func mirror(outline []point) []point {
	out := make([]point, len(outline))
	for i, q := range outline {
		out[i] = point{-q.x, q.y}
	}
	return out
}

// wash fills the whole picture with a smooth change from one colour to another.
func wash(img *image.RGBA, from, to color.RGBA, angle float64) {
	b := img.Bounds()
	s, c := math.Sincos(angle)
	w, h := float64(b.Dx()), float64(b.Dy())
	span := math.Abs(c)*w + math.Abs(s)*h
	for y := range b.Dy() {
		row := img.Pix[y*img.Stride:]
		for x := range b.Dx() {
			t := ((float64(x)-w/2)*c+(float64(y)-h/2)*s)/span + 0.5
			m := mix(from, to, t)
			copy(row[4*x:4*x+4], []uint8{m.R, m.G, m.B, 255})
		}
	}
}

// grain adds noise of the given strength to every pixel, as paper and cameras do.
func grain(r random, img *image.RGBA, strength int) {
	if strength == 0 {
		return
	}
	for i := 0; i < len(img.Pix); i += 4 {
		n := r.IntN(2*strength+1) - strength
		for k := range 3 {
			img.Pix[i+k] = uint8(min(255, max(0, int(img.Pix[i+k])+n)))
		}
	}
}

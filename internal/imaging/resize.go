package imaging

// Pillow's Image.resize: nearest by an affine walk, everything else in two passes with 8 bits between
// them.

import "slices"

// Rect is the part of the source that is resized, in source pixels, possibly fractional.
type Rect struct{ Left, Upper, Right, Lower float64 }

// Resize gives box of src (nil: all of it) in width x height pixels, equal bit for bit to Pillow's Image.resize.
// Where nothing changes, Pix is shared. It panics on sizes below 1 and on a box that leaves the picture.
func Resize(src *RGB, width, height int, f Filter, box *Rect) *RGB {
	return src.resize(wholeTarget(width, height), f, box)
}

// ResizeCrop is Resize to width x height and then Crop, without the memory and time for what is cut off.
func ResizeCrop(src *RGB, width, height int, f Filter, left, upper, cropWidth, cropHeight int) *RGB {
	return src.resize(target{width, height, left, upper, cropWidth, cropHeight, false}, f, nil)
}

// ResizeCropMirrored is ResizeCrop with left and right exchanged at the end, which costs nothing.
func ResizeCropMirrored(src *RGB, width, height int, f Filter, left, upper, cropWidth, cropHeight int) *RGB {
	return src.resize(target{width, height, left, upper, cropWidth, cropHeight, true}, f, nil)
}

func (m *RGB) resize(t target, f Filter, box *Rect) *RGB {
	out := &RGB{Width: t.w, Height: t.h, Pix: resizeBands(raster{m.Pix, m.Width, m.Height, 3}, t, f, box)}
	if !sharePixels(m.Pix, out.Pix) {
		out.lent = out.Pix
	}
	return out
}

// Resize gives box of p (nil: all of it) in its own mode, as Pillow's Image.resize does: palette and 1-bit pictures by
// nearest whatever f is, alpha premultiplied during the work. Low is not carried over.
func (p *Picture) Resize(width, height int, f Filter, box *Rect) *Picture {
	return p.resize(wholeTarget(width, height), f, box)
}

// ResizeCrop is Resize to width x height and then Crop, without the memory and time for what is cut off.
func (p *Picture) ResizeCrop(width, height int, f Filter, left, upper, cropWidth, cropHeight int) *Picture {
	return p.resize(target{width, height, left, upper, cropWidth, cropHeight, false}, f, nil)
}

func (p *Picture) resize(t target, f Filter, box *Rect) *Picture {
	out := *p
	out.Width, out.Height, out.Low, out.LowBands, out.lent = t.w, t.h, nil, 0, nil
	bands := p.Mode.Bands()
	src := raster{p.Pix, p.Width, p.Height, bands}
	switch {
	case t.width == p.Width && t.height == p.Height && (box == nil || *box == src.whole()):
		out.Pix = crop(src, t.x, t.y, t.w, t.h)
	case p.Mode == Mode1 || p.Mode == ModeP || f == Nearest:
		out.Pix = resizeBands(src, t, Nearest, box)
	case p.Mode == ModeI16:
		out.Pix = resize16(src, t, f, box)
	case p.Mode == ModeLA || p.Mode == ModeRGBA:
		src.pix = premultiplied(p.Pix, bands)
		out.Pix = resizeBands(src, t, f, box)
		unmultiply(out.Pix, bands)
	default:
		out.Pix = resizeBands(src, t, f, box)
	}
	return &out
}

// target is the window (x, y, w, h) of a result of width x height, mirrored or not.
type target struct {
	width, height, x, y, w, h int
	mirrored                  bool
}

func wholeTarget(width, height int) target { return target{width, height, 0, 0, width, height, false} }

// raster is height rows of width pixels of bands bytes.
type raster struct {
	pix                  []uint8
	width, height, bands int
}

func newRaster(width, height, bands int) raster {
	return raster{make([]uint8, width*height*bands), width, height, bands}
}

func (r raster) whole() Rect { return Rect{0, 0, float64(r.width), float64(r.height)} }

func (r raster) row(y int) []uint8 { return r.pix[y*r.width*r.bands:][:r.width*r.bands] }

// rows gives the rows first up to, not including, last.
func (r raster) rows(first, last int) raster {
	return raster{r.pix[first*r.width*r.bands : last*r.width*r.bands], r.width, last - first, r.bands}
}

// passes is what one resize does in the two directions.
type passes struct {
	across, down stretch
	downFirst    bool
}

// stretch is one direction: inputs in0..in1 become size outputs, of which those from..from+count are wanted.
type stretch struct {
	inputs      int
	in0, in1    float32
	size        int
	from, count int
	mirrored    bool // the last output comes first
}

// same says that every output is the input of its place.
func (s stretch) same() bool {
	return s.size == s.inputs && s.in0 == 0 && s.in1 == float32(s.size) && !s.mirrored
}

// plan checks the sizes and gives the box in Pillow's precision; it panics where Pillow raises.
//
// Pillow chooses the first pass since version 13, as experiments show: down where the picture loses more than twice as
// many rows as columns, else across. Before, across was always first.
func (r raster) plan(t target, box *Rect) passes {
	b := r.whole()
	if box != nil {
		b = *box
	}
	if t.w < 1 || t.h < 1 || t.x < 0 || t.y < 0 || t.x+t.w > t.width || t.y+t.h > t.height || b.Left < 0 || b.Upper < 0 ||
		b.Right > float64(r.width) || b.Lower > float64(r.height) || b.Left > b.Right || b.Upper > b.Lower {
		panic("imaging: resize to an empty size or from a box outside the picture")
	}
	return passes{
		stretch{r.width, float32(b.Left), float32(b.Right), t.width, t.x, t.w, t.mirrored},
		stretch{r.height, float32(b.Upper), float32(b.Lower), t.height, t.y, t.h, false},
		t.height < r.height && r.height-t.height > 2*(r.width-t.width),
	}
}

func resizeBands(src raster, t target, f Filter, box *Rect) []uint8 {
	p := src.plan(t, box)
	if f == Nearest {
		return nearest(src, p)
	}
	across := func(in raster) (out raster, fresh bool) {
		if p.across.same() {
			return raster{crop(in, t.x, 0, t.w, in.height), t.w, in.height, in.bands}, false
		}
		out = lentRaster(t.w, in.height, in.bands)
		resampleRows(out, in, weightsOf(p.across, f))
		return out, true
	}
	down := func(in raster, w *weights) raster {
		out := lentRaster(in.width, t.h, in.bands)
		resampleColumns(out, in, w)
		return out
	}
	if p.down.same() {
		out, _ := across(src.rows(t.y, t.y+t.h))
		return out.pix
	}
	w := weightsOf(p.down, f)
	if p.downFirst {
		mid := down(src, w)
		out, fresh := across(mid)
		if fresh {
			givePixels(mid.pix)
		}
		return out.pix
	}
	first, last := w.span()
	mid, fresh := across(src.rows(first, last))
	out := down(mid, w.from(first))
	if fresh {
		givePixels(mid.pix)
	}
	return out.pix
}

// lentRaster is newRaster with pixels of any value.
func lentRaster(width, height, bands int) raster {
	return raster{lendPixels(width * height * bands), width, height, bands}
}

// nearest adds up the step as Pillow's ImagingScaleAffine does; the rounding of the sum decides on ties.
func nearest(src raster, p passes) []uint8 {
	columns, rows := nearestInputs(p.across), nearestInputs(p.down)
	out := newRaster(len(columns), len(rows), src.bands)
	for y, row := range rows {
		if row < 0 {
			continue
		}
		from, to := src.row(row), out.row(y)
		for i, c := range columns {
			if c >= 0 {
				copy(to[i*src.bands:][:src.bands], from[c*src.bands:])
			}
		}
	}
	return out.pix
}

// nearestInputs gives the input of every wanted output, or -1.
func nearestInputs(s stretch) []int {
	step := float64(s.in1-s.in0) / float64(s.size)
	at := float64(s.in0) + float64(step*0.5)
	inputs := make([]int, s.count)
	for out := range s.from + s.count {
		if i := out - s.from; i >= 0 {
			if inputs[i] = int(at); inputs[i] >= s.inputs {
				inputs[i] = -1
			}
		}
		at += step
	}
	if s.mirrored {
		slices.Reverse(inputs)
	}
	return inputs
}

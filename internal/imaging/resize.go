package imaging

// Pillow's Image.resize: nearest by an affine walk, everything else in two passes with 8 bits between
// them.

// Rect is the part of the source that is resized, in source pixels, possibly fractional.
type Rect struct{ Left, Upper, Right, Lower float64 }

// Resize gives box of src (nil: all of it) in width x height pixels, equal bit for bit to Pillow's Image.resize.
// Where nothing changes, Pix is shared. It panics on sizes below 1 and on a box that leaves the picture.
func Resize(src *RGB, width, height int, f Filter, box *Rect) *RGB {
	pix := resizeBands(raster{src.Pix, src.Width, src.Height, 3}, width, height, f, box)
	return &RGB{Width: width, Height: height, Pix: pix}
}

// Resize gives box of p (nil: all of it) in its own mode, as Pillow's Image.resize does: palette and 1-bit pictures by
// nearest whatever f is, alpha premultiplied during the work. Low is not carried over.
func (p *Picture) Resize(width, height int, f Filter, box *Rect) *Picture {
	out := *p
	out.Width, out.Height, out.Low, out.LowBands = width, height, nil, 0
	bands := p.Mode.Bands()
	src := raster{p.Pix, p.Width, p.Height, bands}
	same := width == p.Width && height == p.Height && (box == nil || *box == src.whole())
	switch {
	case same:
	case p.Mode == Mode1 || p.Mode == ModeP || f == Nearest:
		out.Pix = resizeBands(src, width, height, Nearest, box)
	case p.Mode == ModeI16:
		out.Pix = resize16(src, width, height, f, box)
	case p.Mode == ModeLA || p.Mode == ModeRGBA:
		src.pix = premultiplied(p.Pix, bands)
		out.Pix = resizeBands(src, width, height, f, box)
		unmultiply(out.Pix, bands)
	default:
		out.Pix = resizeBands(src, width, height, f, box)
	}
	return &out
}

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

// checked gives the box in Pillow's precision; it panics where Pillow raises.
func (r raster) checked(width, height int, box *Rect) (left, upper, right, lower float32) {
	b := r.whole()
	if box != nil {
		b = *box
	}
	if width < 1 || height < 1 || b.Left < 0 || b.Upper < 0 || b.Right > float64(r.width) ||
		b.Lower > float64(r.height) || b.Left > b.Right || b.Upper > b.Lower {
		panic("imaging: resize to an empty size or from a box outside the picture")
	}
	return float32(b.Left), float32(b.Upper), float32(b.Right), float32(b.Lower)
}

func resizeBands(src raster, width, height int, f Filter, box *Rect) []uint8 {
	left, upper, right, lower := src.checked(width, height, box)
	if f == Nearest {
		return nearest(src, width, height, left, upper, right, lower)
	}
	columns := func(in raster) raster {
		if width == src.width && left == 0 && right == float32(width) {
			return in
		}
		out := newRaster(width, in.height, in.bands)
		resampleRows(out, in, newWeights(src.width, left, right, width, f))
		return out
	}
	if verticalFirst(src, width, height) {
		out := newRaster(src.width, height, src.bands)
		resampleColumns(out, src, newWeights(src.height, upper, lower, height, f))
		return columns(out).pix
	}
	if height == src.height && upper == 0 && lower == float32(height) {
		return columns(src).pix
	}
	w := newWeights(src.height, upper, lower, height, f)
	first, last := w.span()
	mid := columns(raster{src.pix[first*src.width*src.bands : last*src.width*src.bands], src.width, last - first, src.bands})
	for i := range w.first {
		w.first[i] -= int32(first)
	}
	out := newRaster(width, height, src.bands)
	resampleColumns(out, mid, w)
	return out.pix
}

// verticalFirst is Pillow's choice of the first pass since version 13, as experiments show it: vertical where the
// picture loses more than twice as many rows as columns. Before, the horizontal pass was always first.
func verticalFirst(src raster, width, height int) bool {
	return height < src.height && src.height-height > 2*(src.width-width)
}

// nearest adds up the step as Pillow's ImagingScaleAffine does; the rounding of the sum decides on ties.
func nearest(src raster, width, height int, left, upper, right, lower float32) []uint8 {
	stepX, stepY := float64(right-left)/float64(width), float64(lower-upper)/float64(height)
	columns := make([]int, width)
	x := float64(left) + float64(stepX*0.5)
	for i := range columns {
		columns[i] = -1
		if int(x) < src.width {
			columns[i] = int(x) * src.bands
		}
		x += stepX
	}
	out := newRaster(width, height, src.bands)
	y := float64(upper) + float64(stepY*0.5)
	for row := range height {
		if int(y) < src.height {
			from, to := src.row(int(y)), out.row(row)
			for i, c := range columns {
				if c >= 0 {
					copy(to[i*src.bands:][:src.bands], from[c:])
				}
			}
		}
		y += stepY
	}
	return out.pix
}

package imaging

// Pillow's Image.resize: nearest by an affine walk, everything else in two passes with 8 bits between
// them.

import "slices"

// Rect is the part of the source that is resized, in source pixels, possibly fractional.
type Rect struct{ Left, Upper, Right, Lower float64 }

// Resize gives box of src (nil: all of it) in width x height pixels, equal bit for bit to Pillow's Image.resize.
// Where nothing changes, Pix is shared. It panics on sizes below 1 and on a box that leaves the picture.
func Resize(src *RGB, width, height int, f Filter, box *Rect) *RGB {
	return src.resize(f, wholeCrop(width, height), box)
}

// Crop is a picture resized to Width x Height, and of that the window of W x H pixels from (X, Y).
type Crop struct {
	Width, Height int
	X, Y, W, H    int
	Mirrored      bool // left and right of the window exchanged
}

func wholeCrop(width, height int) Crop { return Crop{width, height, 0, 0, width, height, false} }

// ResizeCrop gives a crop without the memory and time for what is cut off.
func ResizeCrop(src *RGB, f Filter, c Crop) *RGB { return src.resize(f, c, nil) }

func (m *RGB) resize(f Filter, c Crop, box *Rect) *RGB {
	out := &RGB{Width: c.W, Height: c.H, Pix: resizeBands(raster{m.Pix, m.Width, m.Height, 3}, f, c, box)}
	if !sharePixels(m.Pix, out.Pix) {
		out.lent = out.Pix
	}
	return out
}

// Resize gives box of p (nil: all of it) in its own mode, as Pillow's Image.resize does: palette and 1-bit pictures by
// nearest whatever f is, alpha premultiplied during the work. Low is not carried over.
func (p *Picture) Resize(width, height int, f Filter, box *Rect) *Picture {
	return p.resize(f, wholeCrop(width, height), box)
}

// ResizeCrop gives a crop without the memory and time for what is cut off.
func (p *Picture) ResizeCrop(f Filter, c Crop) *Picture { return p.resize(f, c, nil) }

func (p *Picture) resize(f Filter, c Crop, box *Rect) *Picture {
	out := *p
	out.Width, out.Height, out.Low, out.LowBands, out.lent = c.W, c.H, nil, 0, nil
	bands := p.Mode.Bands()
	src := raster{p.Pix, p.Width, p.Height, bands}
	switch {
	case c.Width == p.Width && c.Height == p.Height && (box == nil || *box == src.whole()):
		out.Pix = crop(src, c.X, c.Y, c.W, c.H)
	case p.Mode == Mode1 || p.Mode == ModeP || f == Nearest:
		out.Pix = resizeBands(src, Nearest, c, box)
	case p.Mode == ModeI16:
		out.Pix = resize16(src, f, c, box)
	case p.Mode == ModeLA || p.Mode == ModeRGBA:
		src.pix = premultiplied(p.Pix, bands)
		out.Pix = resizeBands(src, f, c, box)
		unmultiply(out.Pix, bands)
	default:
		out.Pix = resizeBands(src, f, c, box)
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

// used tells which inputs are: first up to, not including, last.
func (s stretch) used(f Filter) (first, last int) {
	if s.same() {
		return s.from, s.from + s.count
	}
	return weightsOf(s, f).span()
}

// plan checks the sizes and gives the box in Pillow's precision; it panics where Pillow raises.
//
// Pillow chooses the first pass since version 13, as experiments show: down where the picture loses more than twice as
// many rows as columns, else across. Before, across was always first.
func (r raster) plan(c Crop, box *Rect) passes {
	b := r.whole()
	if box != nil {
		b = *box
	}
	if c.W < 1 || c.H < 1 || c.X < 0 || c.Y < 0 || c.X+c.W > c.Width || c.Y+c.H > c.Height || b.Left < 0 || b.Upper < 0 ||
		b.Right > float64(r.width) || b.Lower > float64(r.height) || b.Left > b.Right || b.Upper > b.Lower {
		panic("imaging: resize to an empty size or from a box outside the picture")
	}
	return passes{
		stretch{r.width, float32(b.Left), float32(b.Right), c.Width, c.X, c.W, c.Mirrored},
		stretch{r.height, float32(b.Upper), float32(b.Lower), c.Height, c.Y, c.H, false},
		c.Height < r.height && r.height-c.Height > 2*(r.width-c.Width),
	}
}

func resizeBands(src raster, f Filter, c Crop, box *Rect) []uint8 {
	p := src.plan(c, box)
	if f == Nearest {
		return nearest(src, p)
	}
	upper, lower := p.down.used(f)
	return p.run(src.rows(upper, lower), 0, upper, f)
}

// run does both passes on a picture of which columns before left and rows before upper are not there, nor others that are not used.
func (p passes) run(in raster, left, upper int, f Filter) []uint8 {
	if p.down.same() {
		out, _ := p.runAcross(in, left, f)
		return out.pix
	}
	if p.downFirst {
		mid := p.runDown(in, upper, f)
		out, fresh := p.runAcross(mid, left, f)
		if fresh {
			givePixels(mid.pix)
		}
		return out.pix
	}
	mid, fresh := p.runAcross(in, left, f)
	out := p.runDown(mid, upper, f)
	if fresh {
		givePixels(mid.pix)
	}
	return out.pix
}

// runAcross says whether the pixels are fresh, not those of in.
func (p passes) runAcross(in raster, left int, f Filter) (out raster, fresh bool) {
	if p.across.same() {
		return raster{crop(in, p.across.from-left, 0, p.across.count, in.height), p.across.count, in.height, in.bands}, false
	}
	out = lentRaster(p.across.count, in.height, in.bands)
	resampleRows(out, in, weightsOf(p.across, f).from(left))
	return out, true
}

func (p passes) runDown(in raster, upper int, f Filter) raster {
	out := lentRaster(in.width, p.down.count, in.bands)
	resampleColumns(out, in, weightsOf(p.down, f).from(upper))
	return out
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

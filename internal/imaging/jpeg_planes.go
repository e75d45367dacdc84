package imaging

// JPEGs whose chroma is halved, before they have colours.

// planes are Y, Cb and Cr of a picture.
type planes struct {
	width, height int
	halved        bool    // the chroma's height too: 4:2:0, not 4:2:2
	pix           []uint8 // lent: slack, Y, Cb, Cr, slack
}

const (
	planeSlack = 64
	rgbSlack   = 192
)

func newPlanes(width, height int, halved bool) *planes {
	p := &planes{width: width, height: height, halved: halved}
	p.pix = lendPixels(2*planeSlack + p.stride()*(height+p.chromaHeight()))
	return p
}

func (p *planes) release() { givePixels(p.pix) }

func (p *planes) chromaWidth() int { return (p.width + 1) / 2 }

func (p *planes) chromaHeight() int {
	if p.halved {
		return (p.height + 1) / 2
	}
	return p.height
}

// stride is the bytes of a row of Y; rows of Cb and Cr have half of them.
func (p *planes) stride() int { return 2 * p.chromaWidth() }

// y, cb and cr begin at the first pixel.
func (p *planes) y() []uint8  { return p.pix[planeSlack:] }
func (p *planes) cb() []uint8 { return p.y()[p.stride()*p.height:] }
func (p *planes) cr() []uint8 { return p.cb()[p.chromaWidth()*p.chromaHeight():] }

// resize makes the crop and gives the planes back.
func (p *planes) resize(f Filter, c Crop) (*RGB, error) {
	defer p.release()
	passes := raster{width: p.width, height: p.height, bands: 3}.plan(c, nil)
	left, right := passes.across.used(f)
	upper, lower := passes.down.used(f)
	left &^= 1
	in := raster{lendPixels(3*(right-left)*(lower-upper) + rgbSlack), right - left, lower - upper, 3}
	in.pix = in.pix[:len(in.pix)-rgbSlack]
	if err := planesToRGB(in.pix, p, left, upper, right, lower); err != nil {
		givePixels(in.pix)
		return nil, err
	}
	out := &RGB{Width: c.W, Height: c.H, Pix: passes.run(in, left, upper, f)}
	out.lent = out.Pix
	if sharePixels(in.pix, out.Pix) {
		out.lent = in.pix
	} else {
		givePixels(in.pix)
	}
	return out, nil
}

package report

// Small pictures for the page, as data URIs.

import (
	"bytes"
	"encoding/base64"
	"html/template"

	"mmc4/internal/imaging"
)

const (
	documentSide   = 320 // pixels, the longer side
	rejectSide     = 160
	previewQuality = 78
	maxPixels      = 100_000_000
)

// preview is a picture as the page shows it; URI is empty where there is none, and Why says why.
type preview struct {
	URI           template.URL
	Width, Height int
	Why           string
}

// preview shrinks a picture, as long as there is room for it on the page.
func (g *gathering) preview(data []byte, side int) preview {
	if len(data) == 0 {
		return preview{Why: "no bytes in the run"}
	}
	if g.room <= 0 {
		return preview{Why: "left out: the page is large enough"}
	}
	p, err := imaging.DecodePreview(data, imaging.Limits{MaxPixels: maxPixels}, side)
	if err != nil {
		return preview{Why: "does not decode"}
	}
	small := shrink(p, side)
	var buf bytes.Buffer
	if err := imaging.EncodeJPEG(&buf, small, previewQuality); err != nil {
		return preview{Why: "cannot be shown"}
	}
	uri := "data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(buf.Bytes())
	g.room -= len(uri)
	return preview{URI: template.URL(uri), Width: small.Width, Height: small.Height}
}

// shrink makes the longer side at most side pixels; what is transparent becomes white.
func shrink(p *imaging.Picture, side int) *imaging.RGB {
	longest := max(p.Width, p.Height)
	w, h := p.Width, p.Height
	if longest > side {
		w, h = max(1, (w*side+longest/2)/longest), max(1, (h*side+longest/2)/longest)
	}
	if !p.HasAlpha() {
		return imaging.Resize(p.RGB(), w, h, imaging.Lanczos, nil)
	}
	return onWhite(p.WithAlpha().Resize(w, h, imaging.Lanczos, nil))
}

// onWhite lays a picture with an alpha band on white.
func onWhite(p *imaging.Picture) *imaging.RGB {
	bands := p.Mode.Bands()
	if p.Mode != imaging.ModeRGBA && p.Mode != imaging.ModeLA {
		return p.RGB()
	}
	out := imaging.NewRGB(p.Width, p.Height)
	for i := range p.Width * p.Height {
		px := p.Pix[i*bands : (i+1)*bands]
		alpha := int(px[bands-1])
		for c := range 3 {
			v := px[0]
			if bands == 4 {
				v = px[c]
			}
			out.Pix[3*i+c] = uint8((int(v)*alpha + 255*(255-alpha) + 127) / 255)
		}
	}
	return out
}

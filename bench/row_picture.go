package bench

// JPEG bytes to the pixels that CLIP's image tower sees.

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"mmc4/internal/imaging"
	"mmc4/models/clip"
)

var pictureRows = []Row{{Name: "picture.clip224", Input: "JPEG of 1280 x 1024 pixels, quality 85", Peer: "Pillow", Bar: 1.5, Open: openPicture}}

// drawPhoto makes a picture with the statistics of a photograph: noise of all scales, the finer the weaker.
func drawPhoto(rng *rand.Rand, width, height int) *imaging.RGB {
	m := imaging.NewRGB(width, height)
	sum := make([]float32, 3*width*height)
	for cell := 256; cell >= 2; cell /= 2 {
		gw, gh := width/cell+2, height/cell+2
		grid := make([]float32, 3*gw*gh)
		grey := float32(0)
		for i := range grid {
			if i%3 == 0 {
				grey = float32(rng.NormFloat64())
			}
			grid[i] = (grey + 0.3*float32(rng.NormFloat64())) * 5 * float32(math.Sqrt(float64(cell)/8))
		}
		for y := range height {
			fy := float32(y%cell) / float32(cell)
			for x := range width {
				fx := float32(x%cell) / float32(cell)
				at := 3 * (y/cell*gw + x/cell)
				for c := range 3 {
					top := grid[at+c]*(1-fx) + grid[at+3+c]*fx
					low := grid[at+3*gw+c]*(1-fx) + grid[at+3*gw+3+c]*fx
					sum[3*(y*width+x)+c] += top*(1-fy) + low*fy
				}
			}
		}
	}
	for i, v := range sum {
		m.Pix[i] = uint8(min(max(128+v, 0), 255))
	}
	return m
}

func openPicture(_ context.Context, lab *Lab) (*Contest, error) {
	var jpeg bytes.Buffer
	if err := imaging.EncodeJPEG(&jpeg, drawPhoto(lab.Rand("picture"), 1280, 1024), 85); err != nil {
		return nil, err
	}
	path, err := lab.Write("photo.jpg", jpeg.Bytes())
	if err != nil {
		return nil, err
	}
	peer, err := lab.Python("picture_peer.py", args{"jpeg": path, "side": 224})
	if err != nil {
		return nil, err
	}
	prepare := clip.OpenAIPreprocess(224)
	var square *imaging.RGB
	ours := func() error {
		if square != nil {
			square.Release()
		}
		var err error
		square, err = prepare.DecodeFirst(jpeg.Bytes(), imaging.Limits{})
		return err
	}
	agree := func() (string, error) {
		theirs, err := peer.Output(lab)
		if err != nil {
			return "", err
		}
		if err := ours(); err != nil {
			return "", err
		}
		if !bytes.Equal(square.Pix, theirs) {
			off := 0
			for i := range min(len(theirs), len(square.Pix)) {
				if theirs[i] != square.Pix[i] {
					off++
				}
			}
			return "", fmt.Errorf("outputs differ: %d of %d bytes", off, len(square.Pix))
		}
		return fmt.Sprintf("all %d bytes equal", len(theirs)), nil
	}
	version := ""
	for _, d := range imaging.Decoders() {
		if d.Name == "libjpeg-turbo" && d.Missing == "" {
			version = d.Name + " " + d.Version
		}
	}
	input := self{version: version, run: ours}
	return &Contest{Unit: "img/s", Work: 1, Ours: input, Theirs: peer, Agree: agree}, nil
}

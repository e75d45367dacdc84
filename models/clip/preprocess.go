package clip

// What CLIP's image tower is fed: the short side resized to S, the middle S x S cut out, RGB, scaled to 0..1 and
// normalised. Reads pictures, writes float32 [3, S, S]. Source: open_clip/transform.py (2.20), torchvision 0.15
// transforms Resize, CenterCrop, ToTensor and Normalize on PIL pictures.

import "mmc4/internal/imaging"

// Preprocess turns pictures into the tower's input.
type Preprocess struct {
	Size      int // S, the side in pixels
	Filter    imaging.Filter
	Mean, Std [3]float32 // of R, G, B after scaling to 0..1
}

// OpenAIPreprocess is what OpenAI's checkpoints, and most of open_clip's, were trained with.
func OpenAIPreprocess(size int) Preprocess {
	return Preprocess{
		Size: size, Filter: imaging.Bicubic,
		Mean: [3]float32{0.48145466, 0.4578275, 0.40821073},
		Std:  [3]float32{0.26862954, 0.26130258, 0.27577711},
	}
}

// Decode reads a picture, makes it RGB, resizes and crops it, as OpenFlamingo's training and Hugging Face do. Mirrored, left and
// right are exchanged at the end.
func (t Preprocess) Decode(data []byte, limits imaging.Limits, mirrored bool) (*imaging.RGB, error) {
	return imaging.DecodeCrop(data, limits, t.Filter, func(width, height int) imaging.Crop {
		c := t.crop(width, height)
		c.Mirrored = mirrored
		return c
	})
}

// DecodeFirst is Decode in the order of SquareFirst.
func (t Preprocess) DecodeFirst(data []byte, limits imaging.Limits) (*imaging.RGB, error) {
	return imaging.DecodeCropFirst(data, limits, t.Filter, t.crop)
}

// Square resizes and crops a picture that is RGB already.
func (t Preprocess) Square(m *imaging.RGB) *imaging.RGB {
	return imaging.ResizeCrop(m, t.Filter, t.crop(m.Width, m.Height))
}

// SquareFirst resizes and crops in the file's own mode and converts to RGB last, as open_clip's own readers do: palettes
// are resized by nearest, alpha is premultiplied, CMYK is resized as CMYK.
func (t Preprocess) SquareFirst(p *imaging.Picture) *imaging.RGB {
	if p.Mode == imaging.ModeRGB {
		return t.Square(p.RGB())
	}
	return p.ResizeCrop(t.Filter, t.crop(p.Width, p.Height)).RGB()
}

// crop is the middle S x S of a picture whose short side is resized to S.
func (t Preprocess) crop(width, height int) imaging.Crop {
	width, height = t.resized(width, height)
	return imaging.Crop{Width: width, Height: height, X: middle(width, t.Size), Y: middle(height, t.Size), W: t.Size, H: t.Size}
}

// resized is the size after Resize: the short side S, the long side cut down to a whole number.
func (t Preprocess) resized(width, height int) (int, int) {
	if width <= height {
		return t.Size, t.Size * height / width
	}
	return t.Size * width / height, t.Size
}

// middle is CenterCrop's offset: Python's round, which takes halves to the even side.
func middle(side, size int) int {
	half := (side - size) / 2
	if (side-size)%2 == 1 && half%2 == 1 {
		half++
	}
	return half
}

// Normalize writes square, S x S pixels, to dst [3, S, S].
func (t Preprocess) Normalize(dst []float32, square *imaging.RGB) {
	plane := square.Width * square.Height
	for c := range 3 {
		var table [256]float32
		for v := range table {
			table[v] = (float32(v)/255 - t.Mean[c]) / t.Std[c]
		}
		out := dst[c*plane:][:plane]
		for i := range out {
			out[i] = table[square.Pix[3*i+c]]
		}
	}
}

// Tensor is Square and Normalize: float32 [3, S, S].
func (t Preprocess) Tensor(m *imaging.RGB) []float32 {
	dst := make([]float32, 3*t.Size*t.Size)
	t.Normalize(dst, t.Square(m))
	return dst
}

package imaging

import (
	"bytes"
	"errors"
	"testing"
)

// TestDecodePreview: a preview has the size that was asked for or a little more, looks like the picture, and has its limits and
// errors; what is not a large JPEG is what Decode gives.
func TestDecodePreview(t *testing.T) {
	small := noise(5, 4)
	for _, size := range [][2]int{{800, 600}, {333, 1001}, {96, 64}, {8, 5}} {
		var b bytes.Buffer
		if err := EncodeJPEG(&b, Resize(small, size[0], size[1], Bicubic, nil), 95); err != nil {
			t.Fatal(err)
		}
		whole, err := Decode(b.Bytes(), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for _, side := range []int{1, 64, 96, 160, 320, 5000} {
			p, err := DecodePreview(b.Bytes(), Limits{}, side)
			if err != nil {
				t.Fatal(err)
			}
			longer := max(p.Width, p.Height)
			if longer < min(side, max(size[0], size[1])) {
				t.Errorf("%v for %d: %d x %d", size, side, p.Width, p.Height)
			}
			if nativeJPEG() && size[0] == 800 && side == 96 && (p.Width != 100 || p.Height != 75) {
				t.Errorf("an eighth of 800 x 600 was to be decoded, not %d x %d", p.Width, p.Height)
			}
			want := Resize(whole.RGB(), p.Width, p.Height, Box, nil)
			sum := 0
			for i, v := range p.RGB().Pix {
				sum += max(int(v)-int(want.Pix[i]), int(want.Pix[i])-int(v))
			}
			if mean := float64(sum) / float64(len(want.Pix)); mean > 4 {
				t.Errorf("%v for %d differs from the picture by %.1f", size, side, mean)
			}
		}
		if _, err := DecodePreview(b.Bytes(), Limits{MaxPixels: 10}, 4); !errors.Is(err, ErrTooManyPixels) {
			t.Errorf("%v: %v", size, err)
		}
		if _, err := DecodePreview(b.Bytes()[:b.Len()/2], Limits{}, 4); !errors.Is(err, ErrTruncated) {
			t.Errorf("half of %v: %v", size, err)
		}
	}
	var png bytes.Buffer
	if err := EncodePNG(&png, small.Picture()); err != nil {
		t.Fatal(err)
	}
	if p, err := DecodePreview(png.Bytes(), Limits{}, 4); err != nil || !bytes.Equal(p.Pix, small.Pix) {
		t.Errorf("a PNG is not whole: %v", err)
	}
}

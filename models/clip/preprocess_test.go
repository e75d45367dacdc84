package clip

import (
	"math"
	"testing"

	"mmc4/internal/imaging"
)

func TestMiddle(t *testing.T) {
	// Python: round((side - size) / 2)
	for _, c := range [][3]int{{224, 224, 0}, {225, 224, 0}, {226, 224, 1}, {227, 224, 2}, {229, 224, 2}, {231, 224, 4}, {300, 224, 38}} {
		if got := middle(c[0], c[1]); got != c[2] {
			t.Errorf("middle(%d, %d) = %d, want %d", c[0], c[1], got, c[2])
		}
	}
}

func TestResized(t *testing.T) {
	p := OpenAIPreprocess(224)
	for _, c := range [][4]int{{640, 480, 298, 224}, {480, 640, 224, 298}, {224, 224, 224, 224}, {1, 1000, 224, 224000}, {333, 334, 224, 224}} {
		if w, h := p.resized(c[0], c[1]); w != c[2] || h != c[3] {
			t.Errorf("resized(%d, %d) = %d, %d, want %d, %d", c[0], c[1], w, h, c[2], c[3])
		}
	}
}

func TestTensor(t *testing.T) {
	p := OpenAIPreprocess(8)
	m := imaging.NewRGB(40, 16)
	for i := range m.Pix {
		m.Pix[i] = uint8(100 * (i % 3))
	}
	got := p.Tensor(m)
	if len(got) != 3*8*8 {
		t.Fatalf("%d numbers", len(got))
	}
	for c := range 3 {
		want := (float64(100*c)/255 - float64(p.Mean[c])) / float64(p.Std[c])
		for _, v := range got[c*64 : c*64+64] {
			if math.Abs(float64(v)-want) > 1e-6 {
				t.Fatalf("plane %d holds %g, want %g", c, v, want)
			}
		}
	}
	if a, b := p.Square(m), p.SquareFirst(m.Picture()); string(a.Pix) != string(b.Pix) {
		t.Error("the two orders differ on an RGB picture")
	}
}

package imaging

import (
	"bytes"
	"math/rand"
	"testing"
)

func noise(width, height int) *RGB {
	m := NewRGB(width, height)
	rand.New(rand.NewSource(int64(width*1000 + height))).Read(m.Pix)
	return m
}

// TestResizeFlat: a picture of one colour stays that colour, whatever the filter, size and box.
func TestResizeFlat(t *testing.T) {
	for f := Nearest; f <= Lanczos; f++ {
		for v := 0; v < 256; v += 51 {
			src := NewRGB(37, 23)
			for i := range src.Pix {
				src.Pix[i] = uint8(v)
			}
			for _, size := range [][2]int{{1, 1}, {5, 90}, {90, 5}, {37, 23}, {36, 24}} {
				for _, box := range []*Rect{nil, {3.3, 2.2, 20.7, 21.9}} {
					for i, got := range Resize(src, size[0], size[1], f, box).Pix {
						if int(got) != v {
							t.Fatalf("%v to %v: byte %d is %d, want %d", f, size, i, got, v)
						}
					}
				}
			}
		}
	}
}

// TestResizeSame: the same size without a box changes nothing.
func TestResizeSame(t *testing.T) {
	src := noise(20, 30)
	for f := Nearest; f <= Lanczos; f++ {
		if !bytes.Equal(Resize(src, 20, 30, f, nil).Pix, src.Pix) {
			t.Errorf("%v changes a picture of the same size", f)
		}
	}
}

// TestResizeCropMirrored: exchanging left and right afterwards gives the same, and what shares the source's pixels is told.
func TestResizeCropMirrored(t *testing.T) {
	src := noise(31, 29)
	for _, size := range [][2]int{{50, 20}, {20, 50}, {31, 29}, {31, 5}, {90, 29}} {
		for f := Nearest; f <= Lanczos; f++ {
			want := ResizeCrop(src, f, Crop{size[0], size[1], 1, 2, size[0] - 3, size[1] - 4, false})
			got := ResizeCrop(src, f, Crop{size[0], size[1], 1, 2, size[0] - 3, size[1] - 4, true})
			for y := range want.Height {
				for x := range want.Width {
					a, b := 3*(y*want.Width+x), 3*(y*want.Width+want.Width-1-x)
					if !bytes.Equal(want.Pix[a:a+3], got.Pix[b:b+3]) {
						t.Fatalf("to %v by %v: pixel %d, %d differs", size, f, x, y)
					}
				}
			}
		}
	}
}

// TestReleaseAfter: a window of the source's own rows keeps the source's memory.
func TestReleaseAfter(t *testing.T) {
	p := lentPicture(newConfig(JPEG, ModeRGB, 32, 64))
	for i := range p.Pix {
		p.Pix[i] = uint8(i)
	}
	window := ResizeCrop(p.RGB(), Bicubic, Crop{32, 64, 0, 16, 32, 32, false})
	if p.ReleaseAfter(window); p.Pix == nil {
		t.Error("the memory of a window in use was given back")
	}
	if window.Release(); p.Pix[7] != 7 {
		t.Error("a window gave its source's memory back")
	}
	small := ResizeCrop(p.RGB(), Bicubic, Crop{16, 32, 0, 8, 16, 16, false})
	if p.ReleaseAfter(small); p.Pix != nil {
		t.Error("memory was not given back")
	}
}

// TestResizeCrop: cutting out afterwards gives the same.
func TestResizeCrop(t *testing.T) {
	for _, mode := range []Mode{ModeL, ModeP, ModeRGB, ModeRGBA, ModeI16} {
		for _, size := range [][2]int{{50, 20}, {20, 50}, {31, 29}, {7, 9}, {31, 5}, {90, 29}} {
			p := newPicture(newConfig(PNG, mode, 31, 29))
			rand.New(rand.NewSource(3)).Read(p.Pix)
			for f := Nearest; f <= Lanczos; f++ {
				want := p.Resize(size[0], size[1], f, nil).Crop(1, 2, size[0]-3, size[1]-4)
				got := p.ResizeCrop(f, Crop{size[0], size[1], 1, 2, size[0] - 3, size[1] - 4, false})
				if got.Width != want.Width || got.Height != want.Height || !bytes.Equal(got.Pix, want.Pix) {
					t.Errorf("%s to %v by %v differs", mode, size, f)
				}
			}
		}
	}
}

// TestResizeModes: what a mode does to the filter and to alpha.
func TestResizeModes(t *testing.T) {
	src := noise(20, 30)
	p := &Picture{Mode: ModeP, Width: 60, Height: 30, Pix: src.Pix, Palette: make([]uint8, 768)}
	if !bytes.Equal(p.Resize(7, 9, Lanczos, nil).Pix, p.Resize(7, 9, Nearest, nil).Pix) {
		t.Error("a palette picture is not resized by nearest")
	}
	clear := &Picture{Mode: ModeRGBA, Width: 2, Height: 1, Pix: []uint8{255, 0, 0, 255, 0, 255, 0, 0}}
	got := clear.Resize(1, 1, Box, nil).Pix
	if got[0] != 255 || got[1] != 0 || got[3] != 128 {
		t.Errorf("the colour of a transparent pixel shines through: %v", got)
	}
	rgba := &Picture{Mode: ModeRGBA, Width: 15, Height: 10, Pix: noise(20, 10).Pix}
	if got := rgba.Resize(4, 3, Bilinear, nil); len(got.Pix) != 4*3*4 {
		t.Errorf("%d bytes of RGBA", len(got.Pix))
	}
	deep := &Picture{Mode: ModeI16, Width: 2, Height: 1, Pix: []uint8{0, 16, 0, 32}}
	if got := deep.Resize(1, 1, Box, nil).Pix; got[0] != 0 || got[1] != 24 {
		t.Errorf("16-bit mean: %v", got)
	}
}

func TestCMYK(t *testing.T) {
	p := &Picture{Mode: ModeCMYK, Width: 2, Height: 1, Pix: []uint8{0, 255, 128, 0, 10, 20, 30, 255}}
	if got := p.RGB().Pix; !bytes.Equal(got, []uint8{255, 0, 127, 0, 0, 0}) {
		t.Errorf("got %v", got)
	}
	if stored, bands := p.Stored(); bands != 4 || stored[0] != 255 || stored[1] != 0 {
		t.Errorf("Stored gives %v, %d", stored, bands)
	}
}

func TestShrinkMMC4(t *testing.T) {
	encode := func(p *Picture, format Format) []byte {
		var b bytes.Buffer
		err := EncodePNG(&b, p)
		if format == JPEG {
			b.Reset()
			err = EncodeJPEG(&b, p.RGB(), 95)
		}
		if err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	alpha := newPicture(newConfig(PNG, ModeRGBA, 1000, 10))
	for _, c := range []struct {
		name          string
		data          []byte
		format        Format
		width, height int
		kept          bool
	}{
		{"small JPEG", encode(noise(800, 20).Picture(), JPEG), JPEG, 800, 20, true},
		{"small PNG", encode(noise(20, 800).Picture(), PNG), PNG, 20, 800, true},
		{"wide JPEG", encode(noise(1000, 333).Picture(), JPEG), JPEG, 800, 266, false},
		{"tall PNG", encode(noise(3, 801).Picture(), PNG), JPEG, 3, 800, false},
		{"thin PNG", encode(noise(2400, 1).Picture(), PNG), JPEG, 800, 1, false},
		{"alpha", encode(alpha, PNG), PNG, 800, 8, false},
		{"BMP", bmpFile(5, 3, 24, 0, make([]byte, 16*3)), JPEG, 5, 3, false},
	} {
		pic, err := Decode(c.data, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := ShrinkMMC4(c.data, pic, 800)
		if err != nil {
			t.Fatal(err)
		}
		if got.Format != c.format || got.Width != c.width || got.Height != c.height || bytes.Equal(got.Data, c.data) != c.kept {
			t.Errorf("%s: %s %d x %d, %d bytes", c.name, got.Format, got.Width, got.Height, len(got.Data))
		}
		cfg, err := Probe(got.Data)
		if err != nil || cfg.Format != got.Format || cfg.Width != got.Width || cfg.Height != got.Height {
			t.Errorf("%s: what is stored is %+v, %v", c.name, cfg, err)
		}
	}
}

func TestEncodeJPEG(t *testing.T) {
	src := Resize(noise(4, 4), 64, 48, Bicubic, nil)
	sizes := map[int]int{}
	for _, quality := range []int{1, 50, 90, 100} {
		var b bytes.Buffer
		if err := EncodeJPEG(&b, src, quality); err != nil {
			t.Fatal(err)
		}
		got, err := Decode(b.Bytes(), Limits{})
		if err != nil || got.Width != 64 || got.Height != 48 {
			t.Fatalf("quality %d: %v", quality, err)
		}
		sizes[quality] = b.Len()
	}
	if sizes[1] >= sizes[50] || sizes[50] >= sizes[90] || sizes[90] >= sizes[100] {
		t.Errorf("sizes by quality: %v", sizes)
	}
	if err := EncodeJPEG(&bytes.Buffer{}, NewRGB(70000, 1), 90); err == nil {
		t.Error("a side of 70000 is accepted")
	}
}

func TestDecoders(t *testing.T) {
	covered := map[Format]bool{}
	for _, d := range Decoders() {
		if d.Name == "" || len(d.Formats) == 0 || d.Path != "" && d.Missing != "" {
			t.Errorf("incomplete: %+v", d)
		}
		for _, f := range d.Formats {
			covered[f] = covered[f] || d.Missing == ""
		}
		t.Logf("%+v", d)
	}
	for _, f := range []Format{PNG, JPEG, GIF, WebP, BMP} {
		if !covered[f] {
			t.Errorf("nothing decodes %s", f)
		}
	}
}

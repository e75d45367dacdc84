package imaging

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"math/rand"
	"testing"
)

// seeds are small files of every format that this package or Go can write.
func seeds(tb testing.TB) map[string][]byte {
	tb.Helper()
	r := rand.New(rand.NewSource(7))
	files := map[string][]byte{}
	encode := func(name string, write func(*bytes.Buffer) error) {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			tb.Fatalf("%s: %v", name, err)
		}
		files[name] = b.Bytes()
	}
	for _, mode := range []Mode{ModeL, ModeLA, ModeRGB, ModeRGBA, ModeI16} {
		p := newPicture(newConfig(PNG, mode, 13, 9))
		r.Read(p.Pix)
		encode(string(mode)+".png", func(b *bytes.Buffer) error { return EncodePNG(b, p) })
	}
	rgb := NewRGB(19, 11)
	r.Read(rgb.Pix)
	encode("rgb.jpg", func(b *bytes.Buffer) error { return EncodeJPEG(b, rgb, 80) })
	colours := color.Palette{color.Black, color.White, color.NRGBA{200, 10, 10, 255}, color.Transparent}
	paletted := image.NewPaletted(image.Rect(0, 0, 12, 10), colours)
	for i := range paletted.Pix {
		paletted.Pix[i] = uint8(r.Intn(4))
	}
	encode("p.png", func(b *bytes.Buffer) error { return png.Encode(b, paletted) })
	encode("p.gif", func(b *bytes.Buffer) error { return gif.Encode(b, paletted, nil) })
	files["rgb.bmp"] = bmpFile(5, 3, 24, 0, make([]byte, 16*3))
	files["rle8.bmp"] = bmpFile(4, 2, 8, 1, append(make([]byte, 1024), 4, 7, 0, 0, 0, 4, 1, 2, 3, 4, 0, 1))
	files["lossless.webp"] = []byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00")
	return files
}

// bmpFile makes a bitmap; the colours of 8-bit ones come before the pixels in body.
func bmpFile(width, height, bits, compression int, body []byte) []byte {
	var b bytes.Buffer
	b.WriteString("BM")
	offset := 54
	if bits == 8 {
		offset += 1024
	}
	for _, v := range []any{uint32(54 + len(body)), uint32(0), uint32(offset), uint32(40), int32(width), int32(height),
		uint16(1), uint16(bits), uint32(compression), [20]byte{}} {
		binary.Write(&b, binary.LittleEndian, v)
	}
	b.Write(body)
	return b.Bytes()
}

func TestSeedsDecode(t *testing.T) {
	for name, data := range seeds(t) {
		cfg, err := Probe(data)
		if err != nil {
			t.Errorf("%s: Probe: %v", name, err)
			continue
		}
		p, err := Decode(data, Limits{})
		if err != nil {
			t.Errorf("%s: Decode: %v", name, err)
			continue
		}
		if p.Width != cfg.Width || p.Height != cfg.Height || p.Mode != cfg.Mode || p.Format != cfg.Format {
			t.Errorf("%s: Probe says %+v, Decode %s %s %d x %d", name, cfg, p.Format, p.Mode, p.Width, p.Height)
		}
	}
}

// TestPNGRoundTrip writes every mode and reads it back.
func TestPNGRoundTrip(t *testing.T) {
	r := rand.New(rand.NewSource(2))
	for _, mode := range []Mode{Mode1, ModeL, ModeP, ModeRGB, ModeRGBA, ModeI16, ModeLA, ModeCMYK} {
		p := newPicture(newConfig(PNG, mode, 31, 17))
		r.Read(p.Pix)
		if mode == Mode1 {
			for i := range p.Pix {
				p.Pix[i] = -(p.Pix[i] & 1)
			}
		}
		if mode == ModeP {
			p.Palette = make([]uint8, 768)
			r.Read(p.Palette)
			p.PaletteAlpha = []uint8{0, 128}
		}
		var b bytes.Buffer
		if err := EncodePNG(&b, p); err != nil {
			t.Fatal(err)
		}
		got, err := Decode(b.Bytes(), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.RGB().Pix, p.RGB().Pix) {
			t.Errorf("%s comes back as other colours in mode %s", mode, got.Mode)
		}
		if p.HasAlpha() != got.HasAlpha() {
			t.Errorf("%s: alpha %v comes back as %v", mode, p.HasAlpha(), got.HasAlpha())
		}
	}
}

// TestPrefixes cuts every seed everywhere: no prefix may be taken for a whole picture without its pixels, and each
// failure is one of the typed ones.
func TestPrefixes(t *testing.T) {
	for name, data := range seeds(t) {
		whole, err := Decode(data, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for n := range data {
			p, err := Decode(data[:n], Limits{})
			if err == nil && !bytes.Equal(p.RGB().Pix, whole.RGB().Pix) {
				t.Errorf("%s cut to %d of %d bytes decodes to other pixels", name, n, len(data))
			}
			if n < len(data)/2 && err == nil {
				t.Errorf("%s cut to %d of %d bytes decodes", name, n, len(data))
			}
			checkError(t, err)
		}
	}
}

func checkError(t *testing.T, err error) {
	t.Helper()
	kinds := 0
	for _, kind := range []error{ErrNotImage, ErrTruncated, ErrTooManyPixels, ErrDamaged} {
		if errors.Is(err, kind) {
			kinds++
		}
	}
	if err != nil && kinds != 1 {
		t.Errorf("%v is %d of the typed errors", err, kinds)
	}
}

func TestErrors(t *testing.T) {
	huge := bytes.Clone(seeds(t)["RGB.png"])
	binary.BigEndian.PutUint32(huge[16:], 1<<20)
	binary.BigEndian.PutUint32(huge[20:], 1<<20)
	binary.BigEndian.PutUint32(huge[29:], crc32.ChecksumIEEE(huge[12:29]))
	flat := bytes.Clone(seeds(t)["RGB.png"])
	binary.BigEndian.PutUint32(flat[16:], 0)
	binary.BigEndian.PutUint32(flat[29:], crc32.ChecksumIEEE(flat[12:29]))
	jpeg := seeds(t)["rgb.jpg"]
	for name, c := range map[string]struct {
		data []byte
		want error
	}{
		"nothing":           {nil, ErrNotImage},
		"html":              {[]byte("<!doctype html><title>x</title>"), ErrNotImage},
		"svg":               {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), ErrNotImage},
		"too many pixels":   {huge, ErrTooManyPixels},
		"no pixels":         {flat, ErrDamaged},
		"JPEG without end":  {jpeg[:len(jpeg)-2], ErrTruncated},
		"JPEG cut":          {jpeg[:len(jpeg)/2], ErrTruncated},
		"JPEG start only":   {jpeg[:4], ErrTruncated},
		"JPEG without scan": {append(bytes.Clone(jpeg[:2]), 0xFF, 0xD9, 0, 0), ErrDamaged},
		"PNG header only":   {seeds(t)["RGB.png"][:20], ErrTruncated},
		"BMP with 7 bits":   {bmpFile(5, 3, 7, 0, nil), ErrDamaged},
		"BMP cut":           {bmpFile(500, 300, 24, 0, nil), ErrTruncated},
		"GIF header only":   {[]byte("GIF89a\x01\x00\x01\x00"), ErrTruncated},
		"GIF of nothing":    {[]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"), ErrDamaged},
		"WebP cut":          {seeds(t)["lossless.webp"][:25], ErrTruncated},
	} {
		if _, err := Decode(c.data, Limits{}); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	if _, err := Decode(seeds(t)["RGB.png"], Limits{MaxPixels: 13*9 - 1}); !errors.Is(err, ErrTooManyPixels) {
		t.Errorf("one pixel too many gives %v", err)
	}
	if _, err := Decode(seeds(t)["RGB.png"], Limits{MaxPixels: 13 * 9}); err != nil {
		t.Errorf("just enough pixels give %v", err)
	}
}

func FuzzProbe(f *testing.F) {
	for _, data := range seeds(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := Probe(data)
		checkError(t, err)
	})
}

func FuzzDecode(f *testing.F) {
	for _, data := range seeds(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Decode(data, Limits{MaxPixels: 1 << 18})
		checkError(t, err)
		if err != nil {
			return
		}
		if len(p.Pix) != p.Width*p.Height*p.Mode.Bands() {
			t.Fatalf("%d bytes for %d x %d in mode %s", len(p.Pix), p.Width, p.Height, p.Mode)
		}
		p.RGB()
		p.Stored()
		p.Bytes()
		p.Resize(5, 3, Bicubic, nil)
		half := Crop{Width: p.Width, Height: p.Height, X: p.Width / 2, W: (p.Width + 1) / 2, H: (p.Height + 1) / 2}
		m, err := DecodeCrop(data, Limits{}, Bicubic, func(int, int) Crop { return half })
		if err != nil {
			t.Fatal(err)
		}
		if want := ResizeCrop(p.RGB(), Bicubic, half); !bytes.Equal(m.Pix, want.Pix) {
			t.Fatalf("%s %s %d x %d: DecodeCrop gives other pixels", p.Format, p.Mode, p.Width, p.Height)
		}
	})
}

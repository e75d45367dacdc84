package imaging

import (
	"bytes"
	"math/rand"
	"testing"
)

// photo is 1280 x 1024 of smooth colours with some noise, as JPEG of quality 85.
func photo(tb testing.TB) []byte {
	tb.Helper()
	r := rand.New(rand.NewSource(1))
	coarse := NewRGB(80, 64)
	r.Read(coarse.Pix)
	m := Resize(coarse, 1280, 1024, Bicubic, nil)
	for i, v := range m.Pix {
		m.Pix[i] = uint8(min(max(int(v)+r.Intn(25)-12, 0), 255))
	}
	var b bytes.Buffer
	if err := EncodeJPEG(&b, m, 85); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func BenchmarkDecode(b *testing.B) {
	data := photo(b)
	b.SetBytes(1280 * 1024)
	for b.Loop() {
		if _, err := Decode(data, Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkResize(b *testing.B) {
	p, err := Decode(photo(b), Limits{})
	if err != nil {
		b.Fatal(err)
	}
	rgb := p.RGB()
	b.SetBytes(1280 * 1024)
	for b.Loop() {
		Resize(rgb, 280, 224, Bicubic, nil)
	}
}

func BenchmarkDecodeResize(b *testing.B) {
	data := photo(b)
	b.SetBytes(1280 * 1024)
	for b.Loop() {
		p, err := Decode(data, Limits{})
		if err != nil {
			b.Fatal(err)
		}
		Resize(p.RGB(), 280, 224, Bicubic, nil)
	}
}

//go:build cgo

package imaging

import (
	"bytes"
	"math/rand"
	"testing"
)

// bothWays decodes by the baseline decoder and by libjpeg-turbo. What the first takes is sound for the second, and the same.
func bothWays(tb testing.TB, what string, data []byte) (taken bool) {
	cfg, err := probeJPEG(data)
	if err != nil || cfg.Mode != ModeRGB || Limits.check(Limits{MaxPixels: 1 << 20}, JPEG, cfg.Width, cfg.Height) != nil {
		return false
	}
	got, want := newPicture(cfg), newPicture(cfg)
	if !decodeBaseline(data, got) {
		return false
	}
	if err := decodeJPEGTurbo(data, want); err != nil {
		tb.Fatalf("%s: libjpeg-turbo refuses it: %v", what, err)
	}
	if !bytes.Equal(got.Pix, want.Pix) {
		off := 0
		for got.Pix[off] == want.Pix[off] {
			off++
		}
		tb.Fatalf("%s, %d x %d: byte %d is %d, not %d", what, cfg.Width, cfg.Height, off, got.Pix[off], want.Pix[off])
	}
	return true
}

func needBaseline(tb testing.TB) {
	if resampleLevel() < 3 || !nativeJPEG() {
		tb.Skip("this processor has no AVX-512 VBMI, or libjpeg-turbo is missing")
	}
}

// sampled draws a picture of some kind: noise, black and white, smooth with some noise.
func sampled(r *rand.Rand, width, height, kind int) *RGB {
	m := NewRGB(width, height)
	switch r.Read(m.Pix); kind {
	case 1:
		for i := range m.Pix {
			m.Pix[i] = -(m.Pix[i] & 1)
		}
	case 2:
		coarse := NewRGB(width/9+1, height/9+1)
		r.Read(coarse.Pix)
		for i, v := range Resize(coarse, width, height, Bicubic, nil).Pix {
			m.Pix[i] = uint8(min(max(int(v)+int(m.Pix[i])%24-12, 0), 255))
		}
	}
	return m
}

// TestBaselineAgrees holds the baseline decoder to libjpeg-turbo, on all sizes of edges, chroma and qualities, and on damage.
func TestBaselineAgrees(t *testing.T) {
	needBaseline(t)
	r := rand.New(rand.NewSource(1))
	taken := 0
	for i := range 600 {
		m := sampled(r, 1+r.Intn(100), 1+r.Intn(70), i%3)
		var b bytes.Buffer
		if err := encodeJPEGTurbo(&b, m, 1+r.Intn(100), r.Intn(3)); err != nil {
			t.Fatal(err)
		}
		data := b.Bytes()
		if bothWays(t, "sound", data) {
			taken++
		} else if m.Width > 4 && i%3 == 2 {
			t.Errorf("%d x %d of the common kind was left to libjpeg-turbo", m.Width, m.Height)
		}
		for range 4 { // one byte or a few are wrong, or missing
			bad := bytes.Clone(data)
			for range 1 + r.Intn(3) {
				bad[2+r.Intn(len(bad)-4)] = byte(r.Intn(256))
			}
			if at := 2 + r.Intn(len(bad)-4); r.Intn(3) == 0 {
				bad = append(bad[:at], bad[at+1+r.Intn(len(bad)-at-2):]...)
			}
			bothWays(t, "damaged", bad)
		}
	}
	if taken < 400 {
		t.Errorf("only %d of 600 pictures were taken", taken)
	}
}

// FuzzBaseline: no bytes lead out of the memory, and what is taken is what libjpeg-turbo makes.
func FuzzBaseline(f *testing.F) {
	needBaseline(f)
	r := rand.New(rand.NewSource(2))
	for i := range 9 {
		var b bytes.Buffer
		if err := encodeJPEGTurbo(&b, sampled(r, 24+i, 17+i, i/3), 80, i%3); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if hasPrefix(data, "\xff\xd8\xff") {
			bothWays(t, "fuzzed", data)
		}
	})
}

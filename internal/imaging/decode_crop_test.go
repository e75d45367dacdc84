package imaging

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"math/rand"
	"testing"
)

// TestDecodeCrop holds DecodeCrop to Decode and ResizeCrop: every chroma, odd sizes, colours beyond what there is, damaged files.
func TestDecodeCrop(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	var files [][]byte
	for _, luma := range []byte{0x22, 0x21, 0x11, 0x12, 0x41} {
		for range 12 {
			files = append(files, randomJPEG(r, 1+r.Intn(150), 1+r.Intn(150), luma))
		}
	}
	for _, data := range seeds(t) {
		files = append(files, data)
	}
	for _, data := range files {
		for range 4 {
			if r.Intn(4) == 0 {
				data = bytes.Clone(data)
				data[len(data)/2+r.Intn(len(data)/2)] ^= 1 << r.Intn(8)
			}
			width, height, f := 1+r.Intn(200), 1+r.Intn(200), Filter(r.Intn(6))
			c := Crop{Width: width, Height: height, W: 1 + r.Intn(width), H: 1 + r.Intn(height), Mirrored: r.Intn(2) == 0}
			c.X, c.Y = r.Intn(width-c.W+1), r.Intn(height-c.H+1)
			crop := func(w, h int) Crop {
				if r.Intn(8) == 0 {
					c = wholeCrop(w, h)
				}
				return c
			}
			got, err := DecodeCrop(data, Limits{}, f, crop)
			p, wantErr := Decode(data, Limits{})
			if (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
				t.Fatalf("%v, but whole: %v", err, wantErr)
			}
			if err != nil {
				continue
			}
			want := ResizeCrop(p.RGB(), f, c)
			if got.Width != want.Width || got.Height != want.Height || !bytes.Equal(got.Pix, want.Pix) {
				t.Fatalf("%s %s %d x %d, %+v by %v: not the pixels of the whole picture's crop", p.Format, p.Mode, p.Width, p.Height, c, f)
			}
			got.Release()
			if got, err = DecodeCropFirst(data, Limits{}, f, func(int, int) Crop { return c }); err != nil {
				t.Fatal(err)
			}
			if want := p.ResizeCrop(f, c).RGB(); !bytes.Equal(got.Pix, want.Pix) {
				t.Fatalf("%s %s, %+v by %v, RGB last: not the pixels of the whole picture's crop", p.Format, p.Mode, c, f)
			}
		}
	}
}

// randomJPEG is a baseline file of random coefficients. luma is the sampling of Y, 0x22 for 4:2:0; that of the others is 0x11.
func randomJPEG(r *rand.Rand, width, height int, luma byte) []byte {
	var b bytes.Buffer
	segment := func(marker byte, body ...byte) {
		b.Write([]byte{0xFF, marker})
		binary.Write(&b, binary.BigEndian, uint16(2+len(body)))
		b.Write(body)
	}
	b.Write([]byte{0xFF, markerSOI})
	segment(0xE0, []byte("JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00")...)
	segment(0xDB, append([]byte{0}, bytes.Repeat([]byte{4}, 64)...)...)
	segment(markerSOF0, 8, byte(height>>8), byte(height), byte(width>>8), byte(width), 3, 1, luma, 0, 2, 0x11, 0, 3, 0x11, 0)
	// Codes of four bits in both tables: of DC the symbol is the number of its bits, of AC too (no zeros before it), 0 ends the block.
	symbols := []byte{0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	segment(markerDHT, append(append([]byte{0x00}, symbols...), append([]byte{0x10}, symbols...)...)...)
	segment(markerSOS, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0)
	var held uint64
	n := 0
	put := func(v uint64, length int) {
		held, n = held<<length|v, n+length
		for ; n >= 8; n -= 8 {
			if b.WriteByte(byte(held >> (n - 8))); byte(held>>(n-8)) == 0xFF {
				b.WriteByte(0)
			}
		}
	}
	number := func(v int) {
		length := bits.Len(uint(max(v, -v)))
		put(uint64(length), 4)
		if v < 0 {
			v += 1<<length - 1
		}
		put(uint64(v), length)
	}
	h, v := int(luma>>4), int(luma&15)
	var before [3]int
	for range (width + 8*h - 1) / (8 * h) * ((height + 8*v - 1) / (8 * v)) {
		for block := range h*v + 2 {
			component := max(block-h*v+1, 0)
			dc := r.Intn(500) - 250
			number(dc - before[component])
			before[component] = dc
			for range r.Intn(6) {
				number(r.Intn(300)*2 - 299)
			}
			put(0, 4)
		}
	}
	put(0xFF, 8)
	b.Write([]byte{0xFF, markerEOI})
	return b.Bytes()
}

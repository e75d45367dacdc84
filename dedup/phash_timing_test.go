package dedup

import (
	"fmt"
	"testing"

	"mmc4/internal/imaging"
)

func BenchmarkPHash(b *testing.B) {
	for _, size := range [][2]int{{200, 150}, {640, 480}, {4000, 3000}} {
		b.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(b *testing.B) {
			pix := make([]uint8, size[0]*size[1]*3)
			for i := range pix {
				pix[i] = uint8(i*i>>7 + i)
			}
			p := &imaging.Picture{Mode: imaging.ModeRGB, Width: size[0], Height: size[1], Pix: pix}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := PHash(p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

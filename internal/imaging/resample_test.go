//go:build cgo

package imaging

import (
	"bytes"
	"math/rand"
	"testing"
)

// TestResampleLevels holds every set of instructions to the reference, on odd sizes.
func TestResampleLevels(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	for range 400 {
		src := newRaster(1+r.Intn(90), 1+r.Intn(60), 1+r.Intn(4))
		r.Read(src.pix)
		if r.Intn(4) == 0 { // extremes: overshoot and clipping
			for i := range src.pix {
				src.pix[i] = uint8(-(src.pix[i] & 1))
			}
		}
		f := Filter(1 + r.Intn(5))
		width, height := 1+r.Intn(120), 1+r.Intn(120)
		lo := float32(r.Intn(src.width)) * r.Float32()
		columns := newWeights(stretch{src.width, lo, lo + (float32(src.width)-lo)*r.Float32(), width, 0, width, r.Intn(2) == 0}, f)
		lo = float32(r.Intn(src.height)) * r.Float32()
		rows := newWeights(stretch{src.height, lo, lo + (float32(src.height)-lo)*r.Float32(), height, 0, height, false}, f)
		wantRows, wantColumns := newRaster(width, src.height, src.bands), newRaster(src.width, height, src.bands)
		resampleRowsRef(wantRows, src, columns)
		resampleColumnsRef(wantColumns, src, rows)
		for level := range resampleLevel() + 1 {
			got := newRaster(width, src.height, src.bands)
			resampleRowsC(level, got, src, columns)
			if !bytes.Equal(got.pix, wantRows.pix) {
				t.Fatalf("level %d, rows: %dx%dx%d to width %d by %v differs", level, src.width, src.height, src.bands, width, f)
			}
			got = newRaster(src.width, height, src.bands)
			resampleColumnsC(level, got, src, rows)
			if !bytes.Equal(got.pix, wantColumns.pix) {
				t.Fatalf("level %d, columns: %dx%dx%d to height %d by %v differs", level, src.width, src.height, src.bands, height, f)
			}
		}
	}
}

package imaging

// Resampling of 16-bit grey, in float64, rounded to 16 bits between the passes, as Pillow does.

import "encoding/binary"

func resize16(src raster, f Filter, c Crop, box *Rect) []uint8 {
	p := src.plan(c, box)
	across := func(in raster) raster {
		if p.across.same() {
			return raster{crop(in, c.X, 0, c.W, in.height), c.W, in.height, 2}
		}
		w := newWeights64(p.across, f)
		out := newRaster(c.W, in.height, 2)
		for y := range in.height {
			from, to := in.row(y), out.row(y)
			for x := range c.W {
				binary.LittleEndian.PutUint16(to[2*x:], w.sum16(x, func(i int) []byte { return from[2*i:] }))
			}
		}
		return out
	}
	down := func(in raster) raster {
		if p.down.same() {
			return in.rows(c.Y, c.Y+c.H)
		}
		w := newWeights64(p.down, f)
		out := newRaster(in.width, c.H, 2)
		for y := range c.H {
			to := out.row(y)
			for x := range in.width {
				binary.LittleEndian.PutUint16(to[2*x:], w.sum16(y, func(i int) []byte { return in.row(i)[2*x:] }))
			}
		}
		return out
	}
	if p.downFirst {
		return across(down(src)).pix
	}
	return down(across(src)).pix
}

// sum16 is the out-th sum over the little-endian values that begin at at(i).
func (w *weights64) sum16(out int, at func(i int) []byte) uint16 {
	sum := 0.0
	for i, weight := range w.values[out] {
		sum += float64(float64(binary.LittleEndian.Uint16(at(int(w.first[out])+i))) * weight)
	}
	return uint16(min(max(int(sum+0.5), 0), 65535))
}

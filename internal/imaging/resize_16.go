package imaging

// Resampling of 16-bit grey, in float64, rounded to 16 bits between the passes, as Pillow does.

import "encoding/binary"

func resize16(src raster, width, height int, f Filter, box *Rect) []uint8 {
	left, upper, right, lower := src.checked(width, height, box)
	columns := func(in raster) raster {
		if width == src.width && left == 0 && right == float32(width) {
			return in
		}
		w := newWeights64(src.width, left, right, width, f)
		out := newRaster(width, in.height, 2)
		for y := range in.height {
			from, to := in.row(y), out.row(y)
			for x := range width {
				binary.LittleEndian.PutUint16(to[2*x:], w.sum16(x, func(i int) []byte { return from[2*i:] }))
			}
		}
		return out
	}
	rows := func(in raster) raster {
		if height == src.height && upper == 0 && lower == float32(height) {
			return in
		}
		w := newWeights64(src.height, upper, lower, height, f)
		out := newRaster(in.width, height, 2)
		for y := range height {
			to := out.row(y)
			for x := range in.width {
				binary.LittleEndian.PutUint16(to[2*x:], w.sum16(y, func(i int) []byte { return in.row(i)[2*x:] }))
			}
		}
		return out
	}
	if verticalFirst(src, width, height) {
		return columns(rows(src)).pix
	}
	return rows(columns(src)).pix
}

// sum16 is the out-th sum over the little-endian values that begin at at(i).
func (w *weights64) sum16(out int, at func(i int) []byte) uint16 {
	sum := 0.0
	for i, weight := range w.values[out] {
		sum += float64(float64(binary.LittleEndian.Uint16(at(int(w.first[out])+i))) * weight)
	}
	return uint16(min(max(int(sum+0.5), 0), 65535))
}

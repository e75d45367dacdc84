package imaging

// The two passes, plainly: the reference of resize_fast.

// clip8 rounds away the fraction; the sum began with one half.
func clip8(sum int32) uint8 { return uint8(min(max(sum>>precision, 0), 255)) }

// resampleRowsRef makes every row of dst from the same row of src.
func resampleRowsRef(dst, src raster, w *weights) {
	for y := range dst.height {
		in, out := src.row(y), dst.row(y)
		for x := range dst.width {
			weights := w.values[x*w.taps:][:w.count[x]]
			for b := range src.bands {
				sum := int32(1) << (precision - 1)
				for i, weight := range weights {
					sum += int32(in[(int(w.first[x])+i)*src.bands+b]) * weight
				}
				out[x*src.bands+b] = clip8(sum)
			}
		}
	}
}

// resampleColumnsRef makes every row of dst from several rows of src.
func resampleColumnsRef(dst, src raster, w *weights) {
	for y := range dst.height {
		weights := w.values[y*w.taps:][:w.count[y]]
		out := dst.row(y)
		for x := range out {
			sum := int32(1) << (precision - 1)
			for i, weight := range weights {
				sum += int32(src.row(int(w.first[y]) + i)[x]) * weight
			}
			out[x] = clip8(sum)
		}
	}
}

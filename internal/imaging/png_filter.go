package imaging

import "fmt"

// PNG's row filters (PNG specification, section 9), undone in place.

// pngUnfilter restores row, whose filter is kind, from itself and the restored row above; step is the bytes of a pixel.
func pngUnfilter(kind byte, row, above []byte, step int) error {
	above = above[:len(row)]
	switch kind {
	case 0:
	case 1:
		for i := step; i < len(row); i++ {
			row[i] += row[i-step]
		}
	case 2:
		for i := range row {
			row[i] += above[i]
		}
	case 3:
		for i := range row[:min(step, len(row))] {
			row[i] += above[i] / 2
		}
		for i := step; i < len(row); i++ {
			row[i] += uint8((int(row[i-step]) + int(above[i])) / 2)
		}
	case 4:
		for i := range row[:min(step, len(row))] {
			row[i] += above[i]
		}
		for i := step; i < len(row); i++ {
			row[i] += paeth(int(row[i-step]), int(above[i]), int(above[i-step]))
		}
	default:
		return fmt.Errorf("unknown row filter %d", kind)
	}
	return nil
}

// paeth is the one of left, above and corner that is nearest to left + above - corner.
func paeth(left, above, corner int) uint8 {
	pa, pb := above-corner, left-corner
	pc := pa + pb
	pa, pb, pc = max(pa, -pa), max(pb, -pb), max(pc, -pc)
	switch {
	case pa <= pb && pa <= pc:
		return uint8(left)
	case pb <= pc:
		return uint8(above)
	}
	return uint8(corner)
}

package dedup

// This file is the perceptual hash: a picture's stored samples in, 64 bits out.

import (
	"fmt"
	"math"
	"slices"

	"mmc4/internal/imaging"
)

const (
	hashSide = 32 // the picture is sampled at 32 x 32 places,
	boxSide  = 7  // each the sum of 7 x 7 pixels around it;
	lowSide  = 8  // 8 x 8 low frequencies make the bits
)

// PHash is the DCT hash of pHash ("ph_dct_imagehash"), equal bit for bit to what findimagedupes computes: the luma's
// 7 x 7 sums at 32 x 32 places, their two-dimensional DCT, and one bit for each of the coefficients (1..8, 1..8), set where
// it is above the median. Bit 0 is coefficient (1, 1), and bits run along rows.
//
// It reads the samples as the file stores them: alpha is dropped, a palette expanded, the low byte of 16 bits counts,
// CMYK as stored counts as RGB, and the first of one or two channels is taken as it is. Orientation is ignored. Flat
// pictures, and sides of a few pixels, give bits that mean nothing, mostly 0.
func PHash(p *imaging.Picture) (uint64, error) {
	pix, bands := p.Stored()
	if p.Width < 1 || p.Height < 1 || bands < 1 || len(pix) < p.Width*p.Height*bands {
		return 0, fmt.Errorf("perceptual hash: %d x %d pixels of %d bytes need more than the %d that are there", p.Width, p.Height, bands, len(pix))
	}
	return hashOf(boxSums(pix, p.Width, p.Height, bands)), nil
}

// HashString is the form in which hashes are written: 16 hex digits.
func HashString(hash uint64) string { return fmt.Sprintf("%016x", hash) }

// boxSums samples the picture at x*width/32, y*height/32 and gives the sums of luma over 7 x 7 pixels there; pixels
// outside repeat the edge. Only the pixels under a box are looked at: at most 224 columns of 224 rows.
func boxSums(pix []uint8, width, height, bands int) *[hashSide][hashSide]float32 {
	columns, columnAt := underBoxes(width)
	rows, rowAt := underBoxes(height)
	for i := range columns {
		columns[i] *= bands
	}
	// 256 where 224 would do: indices of 8 bits then need no check.
	var sums [256][hashSide]int32 // along the columns, for each needed row
	var luma [256]int32
	for r, y := range rows {
		lumaOf(luma[:len(columns)], pix[y*width*bands:(y+1)*width*bands], columns, bands)
		for x := range hashSide {
			at := &columnAt[x]
			sums[uint8(r)][x] = luma[at[0]] + luma[at[1]] + luma[at[2]] + luma[at[3]] + luma[at[4]] + luma[at[5]] + luma[at[6]]
		}
	}
	var out [hashSide][hashSide]float32
	for y := range hashSide {
		var sum [hashSide]int32
		for _, r := range rowAt[y] {
			for x, s := range &sums[r] {
				sum[x] += s
			}
		}
		for x, s := range sum {
			out[y][x] = float32(s)
		}
	}
	return &out
}

// underBoxes lists the positions along a side of n pixels that lie under a box, and for each of the 32 boxes where its
// seven positions stand in that list.
func underBoxes(n int) (positions []int, at [hashSide][boxSide]uint8) {
	positions = make([]int, 0, hashSide*boxSide)
	for k := range hashSide {
		for b := range boxSide {
			pos := min(max(k*n/hashSide+b-boxSide/2, 0), n-1)
			// Boxes advance, so a position is new or among the last few.
			i := len(positions) - 1
			for i >= 0 && positions[i] > pos {
				i--
			}
			if i < 0 || positions[i] != pos {
				i = len(positions)
				positions = append(positions, pos)
			}
			at[k][b] = uint8(i)
		}
	}
	return positions, at
}

// lumaOf fills luma with the brightness of a row's pixels at the given offsets: Y of YCbCr for three or four bands, the
// first band as it is for one or two.
func lumaOf(luma []int32, row []uint8, offsets []int, bands int) {
	luma = luma[:len(offsets)]
	if bands < 3 {
		for i, at := range offsets {
			luma[i] = int32(row[at])
		}
		return
	}
	for i, at := range offsets {
		p := (*[3]uint8)(row[at:])
		luma[i] = (66*int32(p[0])+129*int32(p[1])+25*int32(p[2])+128)>>8 + 16
	}
}

// dctRows are the rows 1..8 of the 32-point DCT matrix.
var dctRows = func() (rows [lowSide][hashSide]float32) {
	scale := float32(math.Sqrt(2.0 / hashSide))
	for f := range rows {
		for x := range rows[f] {
			rows[f][x] = float32(float64(scale) * math.Cos(math.Pi/2/hashSide*float64(f+1)*float64(2*x+1)))
		}
	}
	return rows
}()

// hashOf transforms the sums and compares. Products are rounded to float32, summed in float64, and each of the two
// transforms is rounded to float32, as CImg does: bits near the median depend on it.
func hashOf(sums *[hashSide][hashSide]float32) uint64 {
	var half [lowSide][hashSide]float32 // down the columns
	for f := range lowSide {
		for x := range hashSide {
			var s float64
			for y := range hashSide {
				s += float64(dctRows[f][y] * sums[y][x])
			}
			half[f][x] = float32(s)
		}
	}
	var low, sorted [lowSide * lowSide]float32
	for f := range lowSide {
		for g := range lowSide {
			var s float64
			for x := range hashSide {
				s += float64(half[f][x] * dctRows[g][x])
			}
			low[f*lowSide+g] = float32(s)
		}
	}
	sorted = low
	slices.Sort(sorted[:])
	median := (sorted[len(sorted)/2] + sorted[len(sorted)/2-1]) / 2
	var hash uint64
	for i, c := range low {
		if c > median {
			hash |= 1 << i
		}
	}
	return hash
}

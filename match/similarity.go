package match

// This file makes the similarity matrix of a document. It reads feature vectors and writes cosines.

import (
	"fmt"
	"math"
)

// Similarity is the matrix of cosines between images [n][d] and sentences [m][d]: n rows of m. Both sides must be
// L2-normalised, as models/clip returns them, so a cosine is a dot product.
//
// The products are summed in float64 in four interleaved partial sums (elements 0, 4, 8, ... in the first), added as
// (0+1)+(2+3), and rounded once to float32. The result is therefore the same on every machine and does not depend on
// how documents are batched. Rows share one backing array.
func Similarity(images, sentences [][]float32) ([][]float32, error) {
	backing := make([]float32, len(images)*len(sentences))
	rows := make([][]float32, len(images))
	for i, image := range images {
		rows[i] = backing[i*len(sentences) : (i+1)*len(sentences) : (i+1)*len(sentences)]
		for j, sentence := range sentences {
			if len(image) != len(sentence) {
				return nil, fmt.Errorf("similarity of image %d and sentence %d: %d features against %d", i, j, len(image), len(sentence))
			}
			rows[i][j] = float32(dot(image, sentence))
		}
	}
	return rows, nil
}

func dot(a, b []float32) float64 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float64
	i := 0
	for ; i+4 <= len(a); i += 4 {
		// The conversions forbid fusing multiply and add, which would differ between machines.
		s0 += float64(float64(a[i]) * float64(b[i]))
		s1 += float64(float64(a[i+1]) * float64(b[i+1]))
		s2 += float64(float64(a[i+2]) * float64(b[i+2]))
		s3 += float64(float64(a[i+3]) * float64(b[i+3]))
	}
	for ; i < len(a); i++ {
		s0 += float64(float64(a[i]) * float64(b[i]))
	}
	return (s0 + s1) + (s2 + s3)
}

// Best is the first of the largest values of a row of the matrix and its place. An empty row, or one that holds only
// NaN, gives -1 and NaN.
func Best(row []float32) (sentence int, similarity float32) {
	sentence, similarity = -1, float32(math.NaN())
	for j, v := range row {
		if v > similarity || (sentence < 0 && v == v) {
			sentence, similarity = j, v
		}
	}
	return sentence, similarity
}

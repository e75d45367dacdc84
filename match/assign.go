package match

// This file is MMC4's rule for giving every image a sentence. It reads a similarity matrix and writes sentence indices.

import "fmt"

// Assign gives every image of a document (a row of sim, one value a sentence) its sentence: each sentence takes at most
// one image and the sum of similarities is as large as possible; with more images than sentences the images left over
// go to their arg-max sentence, the first of equals, so that several then share one. sim is not changed.
//
// The answer is exact in float64 and deterministic; Solver says how ties break. A matrix without rows gives an empty
// answer. An error is returned for rows of unequal length, rows without sentences, and values that are NaN or infinite.
func Assign(sim [][]float32) ([]int, error) {
	var s Solver
	return s.Assign(nil, sim)
}

// Assign is the function Assign with the solver's memory and the answer's slice reused: it appends to dst[:0].
func (s *Solver) Assign(dst []int, sim [][]float32) ([]int, error) {
	dst = dst[:0]
	if len(sim) == 0 {
		return dst, nil
	}
	n, m := len(sim), len(sim[0])
	if m == 0 {
		return dst, fmt.Errorf("assign: %d images but no sentence", n)
	}
	s.flat = grow(s.flat, n*m)
	for i, row := range sim {
		if len(row) != m {
			return dst, fmt.Errorf("assign: image %d has %d similarities, image 0 has %d", i, len(row), m)
		}
		copy(s.flat[i*m:], row)
	}
	if s.pairs32(s.flat, n, m) == badValue {
		for k, v := range s.flat {
			if v-v != 0 {
				return dst, fmt.Errorf("assign: the similarity of image %d and sentence %d is %v", k/m, k%m, v)
			}
		}
	}
	s.answer = grow(s.answer, n)
	for i := range s.answer {
		s.answer[i] = -1
	}
	s.fill(s.answer, n, m)
	for i, j := range s.answer {
		if j < 0 {
			j, _ = Best(sim[i])
		}
		dst = append(dst, j)
	}
	return dst, nil
}

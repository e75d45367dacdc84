package caption

import "math"

// CIDEr is the consensus of a caption with its references (Vedantam et al. 2015) in the form called CIDEr-D: clipped
// counts and a Gaussian penalty on the difference in length, where the length is the number of word pairs. How rare a
// sequence is, is counted over the references of this corpus (rarity.go), so scores of different corpora do not compare, and a
// corpus of one image scores 0. The similarities are summed in score.go.
const (
	ciderSigma = 6.0
	ciderScale = 10.0
)

// penalties are those of the references of the image at hand.
func (s *imageScorer) penalties() {
	s.penalty = s.penalty[:0]
	hyp := max(0, s.local.lengths[0]-1)
	for _, length := range s.local.lengths[1:] {
		delta := float64(hyp - max(0, length-1))
		s.penalty = append(s.penalty, math.Exp(-delta*delta/(2*ciderSigma*ciderSigma)))
	}
}

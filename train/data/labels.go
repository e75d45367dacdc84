package data

// Which tokens are predicted (open_flamingo train_utils.py, train_one_epoch). Labels stand at the place of the token
// itself; the model shifts.

import "mmc4/kernels"

const noLabel = kernels.IgnoreLabel

// PairLabels are the labels of a caption: everything but <image> and padding. pad < 0: no id is padding.
func PairLabels(ids []int32, media, pad int32) []int32 {
	labels := make([]int32, len(ids))
	for i, id := range ids {
		labels[i] = id
		if id == media || id == pad {
			labels[i] = noLabel
		}
	}
	return labels
}

// InterleavedLabels are the labels of a document: only what follows an <image> in its chunk, <|endofchunk|> included. Text
// before the first <image> and between a chunk's end and the next <image> sees no picture and is not learnt.
func InterleavedLabels(ids []int32, media, eoc, pad int32) []int32 {
	labels := PairLabels(ids, media, pad)
	within := false
	for i, id := range ids {
		switch {
		case id == media:
			within = true
		case !within:
			labels[i] = noLabel
		case id == eoc:
			within = false
		}
	}
	return labels
}

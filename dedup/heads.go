package dedup

// This file is the small networks on CLIP image features: NSFW heads and the face probe.

import (
	"context"
	"fmt"
)

// Head scores CLIP image features. Its layout and sizes come from its weights.
type Head struct{ Layout string }

// LoadHead reads the weights of an NSFW head (layouts datacomp and h14) or of a face probe (layout probe) from a
// safetensors or PyTorch file.
func LoadHead(ctx context.Context, path string) (*Head, error) {
	return nil, fmt.Errorf("%s: heads are not read yet", path)
}

// Dim is the number of features it takes.
func (h *Head) Dim() int { return 0 }

// Scores gives one score for each row of L2-normalised image features [n][Dim].
func (h *Head) Scores(features [][]float32) ([]float32, error) {
	return make([]float32, len(features)), nil
}

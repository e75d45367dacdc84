package pipeline

// What the embed stage asks of a CLIP model. models/clip's model is one; tests have a little one of their own.

import (
	"context"

	"mmc4/internal/imaging"
)

// Embedder turns pictures and sentences into feature vectors of one space. It is used by many goroutines.
type Embedder interface {
	// EncodeImages gives an L2-normalised vector [Dim] for every picture, which it resizes and crops itself.
	EncodeImages(ctx context.Context, pictures []*imaging.RGB) ([][]float32, error)
	// EncodeTexts gives an L2-normalised vector [Dim] for every sentence, which it cuts to the model's context.
	EncodeTexts(ctx context.Context, sentences []string) ([][]float32, error)
	// Dim is the length of a vector.
	Dim() int
	// Fingerprint names weights, tokenizer, arithmetic and device kind: equal fingerprints give equal vectors.
	Fingerprint() string
}

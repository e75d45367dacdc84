package pipeline

// What the embed stage asks of a CLIP model: models/clip's by NewEmbedder; tests have a little one of their own.

import (
	"context"
	"fmt"

	"mmc4/internal/imaging"
	"mmc4/kernels"
	"mmc4/models/clip"
)

// Embedder turns pictures and sentences into feature vectors of one space. It is used by many goroutines.
type Embedder interface {
	// EncodeImages gives an L2-normalised vector [Dim] for every picture, which it resizes and crops itself.
	EncodeImages(ctx context.Context, pictures []*imaging.RGB) ([][]float32, error)
	// EncodeTexts gives an L2-normalised vector [Dim] for every sentence, which it cuts to the model's context.
	EncodeTexts(ctx context.Context, sentences []string) ([][]float32, error)
	// Dim is the length of a vector.
	Dim() int
	// Fingerprint names the model by content: weights, vocabulary, preprocessing. Features of two models never mix.
	Fingerprint() string
}

// clipEmbedder is models/clip's model with what the manifest needs to know of it.
type clipEmbedder struct {
	*clip.Model
	fingerprint string
	profile     string
}

// NewEmbedder makes a loaded CLIP model the embedder of a build; dev is the device it was loaded on. It reads all weights
// once, for their hash.
func NewEmbedder(m *clip.Model, dev kernels.Device, dtype kernels.DType) (Embedder, error) {
	fingerprint, err := m.Fingerprint()
	if err != nil {
		return nil, err
	}
	return &clipEmbedder{m, fingerprint, fmt.Sprintf("%s %v", dev.Profile(), dtype)}, nil
}

func (c *clipEmbedder) Fingerprint() string { return c.fingerprint }

// Profile names what the last bits of the features depend on beside the model.
func (c *clipEmbedder) Profile() string { return c.profile }

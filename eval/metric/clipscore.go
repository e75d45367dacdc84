package metric

import (
	"context"
	"fmt"

	"mmc4/internal/imaging"
)

// Embedder is what CLIPScore needs of a CLIP model: unit vectors of pictures and texts.
type Embedder interface {
	EncodeImages(ctx context.Context, images []*imaging.RGB) ([][]float32, error)
	EncodeTexts(ctx context.Context, texts []string) ([][]float32, error)
}

// CLIPPrompt is what stands before a caption in CLIPScore.
const CLIPPrompt = "A photo depicts "

const clipScale = 2.5

// CLIPScore is 2.5 times the cosine of a picture and its caption, not below zero (Hessel et al. 2021); one score a pair.
func CLIPScore(ctx context.Context, model Embedder, images []*imaging.RGB, captions []string) ([]float64, error) {
	if len(images) != len(captions) {
		return nil, fmt.Errorf("CLIPScore: %d pictures but %d captions", len(images), len(captions))
	}
	texts := make([]string, len(captions))
	for i, c := range captions {
		texts[i] = CLIPPrompt + c
	}
	x_ID, err := model.EncodeImages(ctx, images)
	if err != nil {
		return nil, err
	}
	y_ID, err := model.EncodeTexts(ctx, texts)
	if err != nil {
		return nil, err
	}
	scores := make([]float64, len(captions))
	for i := range scores {
		var dot float64
		for d := range x_ID[i] {
			dot += float64(x_ID[i][d]) * float64(y_ID[i][d])
		}
		scores[i] = clipScale * max(0, dot)
	}
	return scores, nil
}

package data

// Features with labels, for linear heads: a safetensors file with "features" [N,d] and "labels" [N] of 0 and 1.

import (
	"context"
	"fmt"

	"mmc4/models/weights"
)

type features struct {
	blocksOf
	values []float32
	labels []int64
	dim    int
}

// OpenFeatures reads the file; features stay in memory.
func OpenFeatures(ctx context.Context, path string) (Source, error) {
	file, err := weights.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	t, err := file.Want("features", -1, -1)
	if err != nil {
		return nil, err
	}
	s := &features{dim: t.Shape[1]}
	values, err := t.Float32()
	if err != nil {
		return nil, err
	}
	s.values = append(s.values, values...)
	if s.labels, err = file.Int64("labels"); err != nil {
		return nil, err
	}
	if len(s.labels) != t.Shape[0] {
		return nil, fmt.Errorf("%s: %d labels for %d rows of features", path, len(s.labels), t.Shape[0])
	}
	for i, label := range s.labels {
		if label != 0 && label != 1 {
			return nil, fmt.Errorf("%s: label %d is %d; a probe tells 0 from 1", path, i, label)
		}
	}
	for first := 0; first < len(s.labels); first += samplesOfBlock {
		s.counts = append(s.counts, min(samplesOfBlock, len(s.labels)-first))
		s.names = append(s.names, fmt.Sprintf("%s, rows from %d", path, first))
	}
	return s, nil
}

func (s *features) Read(_ context.Context, block int) ([]*Document, error) {
	out := make([]*Document, s.counts[block])
	for i := range out {
		k := block*samplesOfBlock + i
		out[i] = &Document{ID: fmt.Sprintf("row:%d", k), Features: s.values[k*s.dim : (k+1)*s.dim], Tokens: []int32{int32(s.labels[k])}}
	}
	return out, nil
}

// Labelled makes samples of features; it is a Maker.
type Labelled struct{}

// Make gives the features and the one label.
func (Labelled) Make(_ context.Context, d *Document, _ Draws) *Sample {
	return &Sample{ID: d.ID, IDs: d.Tokens, Labels: d.Tokens, Features: d.Features}
}

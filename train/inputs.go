package train

// Streams of a config: a source, and a maker of samples.

import (
	"context"
	"errors"
	"fmt"

	"mmc4/internal/storage"
	"mmc4/models/clip"
	"mmc4/models/tokenizer"
	"mmc4/train/data"
)

// reading is what all streams of a run share.
type reading struct {
	config *Config
	tokens *data.Tokens    // flamingo, lm
	clip   *tokenizer.CLIP // clip
	// preprocess makes squares of the model's size; context is the length of CLIP's rows.
	preprocess clip.Preprocess
	context    int
}

// source opens a stream's data.
func (r *reading) source(ctx context.Context, s StreamConfig) (data.Source, error) {
	o := storage.Options{}
	switch s.Format {
	case "docs":
		return data.OpenDocuments(ctx, s.Paths, o)
	case "pairs":
		return data.OpenPairs(ctx, s.Paths, o)
	case "jsonl":
		return data.OpenLines(ctx, s.Paths, s.Images, o)
	case "webdataset":
		return data.OpenTars(ctx, s.Paths, o)
	case "drawings":
		return data.OpenDrawings(ctx, s.Paths[0], r.preprocess.Size, r.config.unpaired(), o)
	case "features":
		return data.OpenFeatures(ctx, s.Paths[0])
	}
	return data.OpenTexts(ctx, s.Paths, r.tokens, s.MaxTokens, o)
}

func (r *reading) maker(s StreamConfig) data.Maker {
	switch {
	case r.config.Kind == KindCLIP:
		return &data.Contrast{Tokens: r.clip, Context: r.context, Preprocess: r.preprocess, MinBytes: *s.MinBytes, Flip: *s.Flip, Unpaired: r.config.unpaired()}
	case r.config.Kind == KindLM:
		return data.Packed{}
	case r.config.Kind == KindProbe:
		return data.Labelled{}
	case s.Sequences == "pairs":
		return &data.Pairs{Tokens: r.tokens, Preprocess: r.preprocess, MaxTokens: s.MaxTokens, MinBytes: *s.MinBytes, Compat: r.config.Compat}
	}
	assignment := data.Assignment(s.Assignment)
	switch {
	case assignment == "" && r.config.Compat:
		assignment = data.ArgMax
	case assignment == "":
		assignment = data.OneToOne
	}
	return &data.Rules{Tokens: r.tokens, Preprocess: r.preprocess, Assignment: assignment, MinSimilarity: *s.MinSimilarity,
		MinImages: s.MinImages, MaxImages: s.MaxImages, MaxTokens: s.MaxTokens, MinBytes: *s.MinBytes, DropSingle: *s.DropSingle, Compat: r.config.Compat}
}

// input is a stream in use.
type input struct {
	StreamConfig
	*data.Stream
	reading *reading
}

// open begins a stream at a position. number tells streams with the same seed apart.
func (r *reading) open(ctx context.Context, s StreamConfig, number int, from data.Position, reject func(data.Reject)) (*input, error) {
	source, err := r.source(ctx, s)
	if err != nil {
		return nil, describe(err, "stream "+s.Name)
	}
	d := r.config.Data
	order := data.Order{Seed: r.config.Seed + uint64(number)*0x51ed27, Window: d.Window, Shuffle: *d.Shuffle, Resample: s.Resample}
	stream, err := data.NewStream(ctx, source, r.maker(s), data.StreamOptions{Order: order, Workers: d.Workers, Prefetch: max(d.Prefetch, s.Batch), Reject: reject}, from)
	if err != nil {
		return nil, describe(err, "stream "+s.Name)
	}
	return &input{StreamConfig: s, Stream: stream, reading: r}, nil
}

// batch gives the next batch.
func (in *input) batch(ctx context.Context) (*data.Batch, error) {
	samples := make([]*data.Sample, in.Batch)
	for i := range samples {
		var err error
		if samples[i], err = in.Next(ctx); errors.Is(err, data.ErrNoSequence) {
			return nil, fmt.Errorf("stream %s: %w\nrejects.jsonl names each record with the value and the limit; --set streams.N.KEY changes a limit", in.Name, err)
		} else if err != nil {
			return nil, describe(err, "stream "+in.Name)
		}
	}
	r := in.reading
	var pad int32
	if r.tokens != nil {
		pad = r.tokens.Pad
	}
	length, slots := 0, 0
	if r.config.Compat && in.Sequences == "interleaved" {
		length, slots = in.MaxTokens, in.MaxImages // open_flamingo pads both
	}
	return data.NewBatch(samples, pad, length, slots), nil
}

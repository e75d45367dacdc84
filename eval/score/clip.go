package score

import (
	"context"
	"errors"
	"fmt"
	"math"

	"mmc4/eval/formats"
	"mmc4/eval/metric"
	"mmc4/internal/imaging"
)

// clipBatch is how many pictures are held at a time.
const clipBatch = 64

// clip is CLIPScore: no references are compared, but only examples that have some are scored. A picture that cannot be read
// leaves its example out, by name.
func (r *Report) clip(ctx context.Context, pairs []paired, o Options) error {
	if o.CLIP == nil || o.Picture == nil {
		return errors.New("a CLIP model and pictures are needed")
	}
	var scores []float64
	var of []formats.ID
	for rest := pairs; len(rest) > 0; {
		now := rest[:min(clipBatch, len(rest))]
		rest = rest[len(now):]
		var pictures []*imaging.RGB
		var captions []string
		for _, p := range now {
			picture, err := o.Picture(ctx, p.reference.ID)
			if err != nil {
				r.Problems.Bad = append(r.Problems.Bad, fmt.Sprintf("picture of %s: %v", p.reference.ID, err))
				continue
			}
			pictures, captions, of = append(pictures, picture), append(captions, p.prediction.Text), append(of, p.reference.ID)
		}
		if len(pictures) == 0 {
			continue
		}
		some, err := metric.CLIPScore(ctx, o.CLIP, pictures, captions)
		if err != nil {
			return err
		}
		scores = append(scores, some...)
	}
	if len(scores) == 0 {
		return errors.New("no picture could be read")
	}
	var sum float64
	byID := map[formats.ID]float64{}
	for i, s := range scores {
		sum += s
		byID[of[i]] = s
	}
	interval := metric.BootstrapMean(scores, o.Seed)
	interval.Low, interval.High = 100*interval.Low, 100*interval.High
	r.Values = append(r.Values, Value{Name: "CLIPScore", Value: 100 * sum / float64(len(scores)), Interval: &interval, Examples: len(scores)})
	column := make([]float64, len(r.ids))
	for i, id := range r.ids {
		column[i] = math.NaN()
		if s, ok := byID[id]; ok {
			column[i] = 100 * s
		}
	}
	r.columns["CLIPScore"] = column
	return nil
}

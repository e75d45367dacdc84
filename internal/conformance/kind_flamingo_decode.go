package conformance

import (
	"context"
	"fmt"
	"sort"

	"mmc4/kernels"
	"mmc4/models/flamingo"
	"mmc4/models/lm"
)

func init() {
	register("flamingo.generate", checkGenerate)
	register("flamingo.rank", checkRank)
}

// media computes what in.vision_x shows.
func (f *flamingoCase) media() (*flamingo.Media, error) {
	pixels, frames, rows, slots, err := f.pictures("in.vision_x")
	if err != nil {
		return nil, err
	}
	return f.model.See(f.pass, pixels, frames, rows, slots), nil
}

// checkGenerate decodes every variant: sequences must be equal, scores of beams close.
func checkGenerate(ctx context.Context, env *Env, c *Case, r *Report) error {
	var in struct {
		Config struct {
			EOC      int `json:"eoc_token_id"`
			Pad      int `json:"sequence_pad_token_id"`
			Variants map[string]struct {
				Beams   int      `json:"num_beams"`
				Penalty *float64 `json:"length_penalty"`
				MaxNew  int      `json:"max_new_tokens"`
				Early   bool     `json:"early_stopping"`
			}
		}
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	f, err := openFlamingo(env, c, r, flamingo.Options{})
	if err != nil {
		return err
	}
	defer f.close()
	text, err := textInput(f.file, "in.lang_x", "in.attention_mask")
	if err != nil {
		return err
	}
	var names []string
	for name := range in.Config.Variants {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		v := in.Config.Variants[name]
		penalty := 1.0 // of transformers
		if v.Penalty != nil {
			penalty = *v.Penalty
		}
		f.pass.Reset()
		media, err := f.media()
		if err != nil {
			return err
		}
		out, err := f.model.Generate(ctx, f.pass, lm.Prompt{IDs: text.IDs, Rows: text.Rows, Mask: text.Mask}, media, flamingo.Decoding{Upstream: true,
			Decoding: lm.Decoding{MaxNew: v.MaxNew, EOS: in.Config.EOC, Pad: in.Config.Pad, Beams: v.Beams, LengthPenalty: penalty, EarlyStopping: v.Early}})
		if err != nil {
			return err
		}
		var sequences []int64
		var scores []float32
		for row, one := range out {
			line := append(append([]int32(nil), text.IDs[row*text.Len():(row+1)*text.Len()]...), one.Tokens...)
			for len(line) < text.Len()+v.MaxNew {
				line = append(line, int32(in.Config.Pad))
			}
			for _, id := range line {
				sequences = append(sequences, int64(id))
			}
			scores = append(scores, float32(one.Score))
		}
		want, err := f.file.Int64("out." + name + ".sequences")
		if err != nil {
			return err
		}
		f.dump.Int64("out."+name+".sequences", sequences, text.Rows, text.Len()+v.MaxNew)
		if env.DType != "" && env.DType != "fp32" { // decisions are known to survive rounding in fp32 alone
			r.Equal("out."+name+".sequences: length", len(sequences), len(want))
			continue
		}
		r.Equal("out."+name+".sequences", sequences, want)
		if label := "out." + name + ".scores"; f.file.Has(label) {
			if err := f.compareValues(label, scores); err != nil {
				return err
			}
		}
	}
	return f.dump.Close()
}

func (f *flamingoCase) compareValues(name string, got []float32) error {
	want, err := f.file.Float32(name)
	if err != nil {
		return err
	}
	f.dump.Float32(name, got, len(got))
	f.r.Tensor(f.env, f.c, name, got, want)
	return nil
}

// checkRank scores candidates with a cache and without, as sums and as means.
func checkRank(ctx context.Context, env *Env, c *Case, r *Report) error {
	f, err := openFlamingo(env, c, r, flamingo.Options{})
	if err != nil {
		return err
	}
	defer f.close()
	text, err := textInput(f.file, "in.lang_x", "in.attention_mask")
	if err != nil {
		return err
	}
	prompt := lm.Prompt{IDs: text.IDs, Rows: text.Rows, Mask: text.Mask}
	rows, err := idRows(f.file, "in.candidates")
	if err != nil {
		return err
	}
	candidates := make([][]int32, len(rows))
	for j, row := range rows {
		for _, id := range row {
			if id >= 0 {
				candidates[j] = append(candidates[j], int32(id))
			}
		}
	}
	for _, mean := range []bool{true, false} {
		o, suffix := flamingo.Ranking{Mean: mean, Upstream: true}, "sum"
		if mean {
			suffix = "mean"
		}
		f.pass.Reset()
		media, err := f.media()
		if err != nil {
			return err
		}
		cached, err := f.model.Rank(ctx, f.pass, prompt, media, candidates, o)
		if err != nil {
			return err
		}
		see := func() *flamingo.Media {
			media, err := f.media()
			if err != nil {
				f.pass.Fail(err)
				return &flamingo.Media{Rows: text.Rows, Latents: kernels.Tensor{}}
			}
			return media
		}
		full, err := f.model.RankFull(ctx, f.pass, prompt, see, candidates, o)
		if err != nil {
			return err
		}
		for name, scores := range map[string][][]float64{"cached": cached, "full": full} {
			var flat []float32
			for _, row := range scores {
				for _, v := range row {
					flat = append(flat, float32(v))
				}
			}
			if err := f.compareValues(fmt.Sprintf("out.%s_%s", name, suffix), flat); err != nil {
				return err
			}
		}
	}
	return f.dump.Close()
}

package conformance

import (
	"context"
	"fmt"

	"mmc4/eval/metric/caption"
	"mmc4/eval/metric/ptb"
)

func init() {
	register("caption.ptb", checkPTB)
	register("caption.scores", checkCaptionScores)
}

// checkPTB tokenises all captions of the case in one call.
func checkPTB(_ context.Context, _ *Env, c *Case, r *Report) error {
	var in struct {
		Cases []struct{ Caption, Tokens string }
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	captions := make([]string, len(in.Cases))
	for i, one := range in.Cases {
		captions[i] = one.Caption
	}
	for i, got := range ptb.Captions(captions) {
		r.Equal(fmt.Sprintf("caption %d %q", i, captions[i]), got, in.Cases[i].Tokens)
	}
	return nil
}

// checkCaptionScores scores corpora made of ranges of the case's images.
func checkCaptionScores(_ context.Context, _ *Env, c *Case, r *Report) error {
	var in struct {
		Tolerance struct{ Scores float64 }
		Results   map[string]struct {
			Images   [2]int
			Corpus   map[string]float64
			PerImage map[string][]float64 `json:"per_image"`
		}
		Cases []struct {
			References       []string
			Hypothesis       string
			ReferencesTokens []string `json:"references_tokens"`
			HypothesisTokens string   `json:"hypothesis_tokens"`
		}
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	var hypotheses []string
	var references [][]string
	for _, one := range in.Cases {
		hypotheses, references = append(hypotheses, one.Hypothesis), append(references, one.References)
	}
	items := caption.Tokenise(hypotheses, references)
	for i, one := range in.Cases {
		r.Equal(fmt.Sprintf("tokens of %d", i), items[i], caption.Item{Hypothesis: one.HypothesisTokens, References: one.ReferencesTokens})
	}
	for set, want := range in.Results {
		corpus, err := caption.NewCorpus(items[want.Images[0] : want.Images[1]+1])
		if err != nil {
			return err
		}
		got := map[string]caption.Scores{"CIDEr": corpus.CIDEr(), "ROUGE_L": corpus.ROUGE()}
		for n, scores := range corpus.BLEU() {
			got[fmt.Sprintf("BLEU_%d", n+1)] = scores
		}
		for name, value := range want.Corpus {
			r.Near(set+" "+name, got[name].Corpus, value, in.Tolerance.Scores)
		}
		for name, values := range want.PerImage {
			if len(values) != len(got[name].PerImage) {
				return fmt.Errorf("%s %s: %d images, want %d", set, name, len(got[name].PerImage), len(values))
			}
			for i, value := range values {
				r.Near(fmt.Sprintf("%s %s of %d", set, name, i), got[name].PerImage[i], value, in.Tolerance.Scores)
			}
		}
	}
	return nil
}

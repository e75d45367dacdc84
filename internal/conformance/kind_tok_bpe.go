package conformance

import (
	"context"
	"fmt"
	"os"

	"mmc4/models/tokenizer"
)

func init() { register("tok.bpe", checkTokBPE) }

// checkTokBPE holds both forms of the tokenizer to Hugging Face's ids, offsets and decoded text.
func checkTokBPE(_ context.Context, _ *Env, c *Case, r *Report) error {
	var in struct {
		Config struct {
			Normalizer *string `json:"normalizer"`
			Prepended  *string `json:"prepended"`
		} `json:"config"`
		Cases []struct {
			Text        string   `json:"text"`
			IDs         []int    `json:"ids"`
			Offsets     [][2]int `json:"offsets"`
			Decoded     string   `json:"decoded"`
			DecodedSkip string   `json:"decoded_skip"`
		} `json:"cases"`
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	data, err := os.ReadFile(c.Path("tokenizer.json"))
	if err != nil {
		return err
	}
	whole, err := tokenizer.NewBPE(data)
	if err != nil {
		return err
	}
	options := tokenizer.BPEOptions{NFC: in.Config.Normalizer != nil && *in.Config.Normalizer == "NFC", Added: whole.Added()}
	if in.Config.Prepended != nil {
		options.Before = []string{*in.Config.Prepended}
	}
	vocab, err := os.ReadFile(c.Path("vocab.json"))
	if err != nil {
		return err
	}
	merges, err := os.ReadFile(c.Path("merges.txt"))
	if err != nil {
		return err
	}
	parts, err := tokenizer.NewBPEFiles(vocab, merges, options)
	if err != nil {
		return err
	}
	for _, x := range in.Cases {
		label := fmt.Sprintf("%.60q", x.Text)
		ids, offsets := whole.EncodeOffsets(x.Text)
		r.Equal(label+" ids", append([]int{}, whole.Encode(x.Text)...), x.IDs)
		r.Equal(label+" ids of the offsets", append([]int{}, ids...), x.IDs)
		r.Equal(label+" offsets", append([][2]int{}, offsets...), x.Offsets)
		r.Equal(label+" ids from vocab.json", append([]int{}, parts.Encode(x.Text)...), x.IDs)
		r.Equal(label+" decoded", whole.Decode(x.IDs), x.Decoded)
		r.Equal(label+" decoded_skip", whole.DecodePlain(x.IDs), x.DecodedSkip)
	}
	return nil
}

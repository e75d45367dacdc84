package conformance

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"

	"mmc4/models/tokenizer"
)

func init() { register("tok.spm", checkTokSPM) }

// checkTokSPM holds the SentencePiece model, and LLaMA's slow and fast tokenizers on it, to the references.
func checkTokSPM(_ context.Context, _ *Env, c *Case, r *Report) error {
	var in struct {
		Config struct {
			Model string         `json:"model"`
			Added map[string]int `json:"added"`
		} `json:"config"`
		Cases []struct {
			Text      string   `json:"text"`
			IDs       []int    `json:"ids"`
			Pieces    []string `json:"pieces"`
			Decoded   string   `json:"decoded"`
			Llama     []int    `json:"llama_ids"`
			LlamaFast []int    `json:"llama_fast_ids"`
			LlamaText string   `json:"llama_decoded"`
			LlamaSkip string   `json:"llama_decoded_skip"`
		} `json:"cases"`
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	data, err := os.ReadFile(c.Path(in.Config.Model))
	if err != nil {
		return err
	}
	model, err := tokenizer.NewSentencePiece(data)
	if err != nil {
		return err
	}
	var added []string
	for text := range in.Config.Added {
		added = append(added, text)
	}
	slices.SortFunc(added, func(a, b string) int { return cmp.Compare(in.Config.Added[a], in.Config.Added[b]) })
	slow, fast := tokenizer.NewLlama(model), tokenizer.NewLlama(model)
	slow.AddSpecial(added...)
	fast.AddSpecial(added...)
	fast.Fast = true
	for text, id := range in.Config.Added {
		got, _ := slow.ID(text)
		r.Equal("id of "+text, got, id)
	}
	for _, x := range in.Cases {
		label := fmt.Sprintf("%.60q", x.Text)
		r.Equal(label+" ids", append([]int{}, model.Encode(x.Text)...), x.IDs)
		r.Equal(label+" pieces", append([]string{}, model.Pieces(x.IDs)...), x.Pieces)
		r.Equal(label+" decoded", model.Decode(x.IDs), x.Decoded)
		r.Equal(label+" llama_ids", slow.Encode(x.Text), x.Llama)
		r.Equal(label+" llama_decoded", slow.Decode(x.Llama), x.LlamaText)
		r.Equal(label+" llama_decoded_skip", slow.DecodePlain(x.Llama), x.LlamaSkip)
		if x.LlamaFast == nil {
			x.LlamaFast = x.Llama
		}
		r.Equal(label+" llama_fast_ids", fast.Encode(x.Text), x.LlamaFast)
	}
	return nil
}

package conformance

import (
	"context"
	"fmt"
	"os"

	"mmc4/models/tokenizer"
)

func init() { register("clip.tokens", checkClipTokens) }

// checkClipTokens holds cleaning, ids and rows to open_clip's SimpleTokenizer.
func checkClipTokens(_ context.Context, _ *Env, c *Case, r *Report) error {
	var in struct {
		Config struct {
			Vocabulary string `json:"vocabulary"`
			Context    int    `json:"context"`
		} `json:"config"`
		Cases []struct {
			Text  string  `json:"text"`
			Clean string  `json:"clean"`
			IDs   []int   `json:"ids"`
			Row   []int64 `json:"row"`
		} `json:"cases"`
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	table, err := os.ReadFile(c.Path(in.Config.Vocabulary))
	if err != nil {
		return err
	}
	t, err := tokenizer.NewCLIP(table)
	if err != nil {
		return err
	}
	for _, x := range in.Cases {
		label := fmt.Sprintf("%.60q", x.Text)
		r.Equal(label+" clean", t.Clean(x.Text), x.Clean)
		r.Equal(label+" ids", append([]int{}, t.EncodePlain(x.Text)...), x.IDs)
		row := t.Row(x.Text, in.Config.Context)
		for len(row) > 0 && row[len(row)-1] == 0 {
			row = row[:len(row)-1]
		}
		r.Equal(label+" row", row, x.Row)
	}
	return nil
}

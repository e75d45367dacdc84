package conformance

import (
	"context"
	"fmt"

	"mmc4/match"
)

func init() { register("punkt", checkPunkt) }

// checkPunkt splits every text into sentences.
func checkPunkt(_ context.Context, _ *Env, c *Case, r *Report) error {
	var file struct {
		Cases []struct {
			Group, Text string
			Sentences   []string
		}
	}
	if err := c.Decode(&file); err != nil {
		return err
	}
	for i, k := range file.Cases {
		got := match.AppendSentences([]string{}, k.Text)
		r.Equal(fmt.Sprintf("case %d (%s), %q", i, k.Group, k.Text), got, k.Sentences)
	}
	return nil
}

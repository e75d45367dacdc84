package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"mmc4/match"
)

func init() { register("mmc4.assign", checkMMC4Assign) }

// checkMMC4Assign gives the images of MMC4 documents their sentences anew.
func checkMMC4Assign(_ context.Context, _ *Env, c *Case, r *Report) error {
	const close, simTolerance = 0.001, 1e-12
	var file struct {
		Config struct{ Input string }
		Cases  []struct {
			URL              string
			MatchedTextIndex []int     `json:"matched_text_index"`
			MatchedSim       []float64 `json:"matched_sim"`
			BestTotal        float64   `json:"best_total"`
			Margin           *float64
		}
	}
	if err := c.Decode(&file); err != nil {
		return err
	}
	docs, err := os.Open(c.Path(file.Config.Input))
	if err != nil {
		return err
	}
	defer docs.Close()
	lines := json.NewDecoder(docs)
	var solver match.Solver
	for i, k := range file.Cases {
		var doc struct {
			URL              string
			SimilarityMatrix [][]float32 `json:"similarity_matrix"`
		}
		if err := lines.Decode(&doc); err != nil {
			return fmt.Errorf("%s, document %d: %w", docs.Name(), i, err)
		}
		label := fmt.Sprintf("document %d (%d images)", i, len(doc.SimilarityMatrix))
		r.Equal(label+": url", doc.URL, k.URL)
		got, err := solver.Assign(nil, doc.SimilarityMatrix)
		if err != nil {
			r.Failf("%s: %v", label, err)
			continue
		}
		if images, sentences := len(got), len(doc.SimilarityMatrix[0]); images <= sentences { // no leftovers
			r.Near(label+": total", totalOf(doc.SimilarityMatrix, got), k.BestTotal, close)
		}
		if k.Margin != nil && *k.Margin <= close {
			continue
		}
		if r.Equal(label, got, k.MatchedTextIndex) {
			for image, sentence := range got {
				r.Near(label+": matched_sim", float64(doc.SimilarityMatrix[image][sentence]), k.MatchedSim[image], simTolerance)
			}
		}
	}
	if err := lines.Decode(new(any)); err != io.EOF {
		return fmt.Errorf("%s: more documents than cases (%v)", docs.Name(), err)
	}
	return nil
}

func totalOf(sim [][]float32, sentences []int) (total float64) {
	for image, sentence := range sentences {
		total += float64(sim[image][sentence])
	}
	return total
}

package flamingo

import "mmc4/models/lm/params"

// Counts are numbers of parameters, from a config alone.
type Counts struct {
	Vision    int64 // the tower, as far as Flamingo reads it
	Text      int64 // the language model without its input embedding; a tied head is counted there
	Perceiver int64
	Gated     int64
	Embedding int64 // the input embedding
}

// Trained is what open_flamingo trains; its released models of 4 B leave the embedding out.
func (c Counts) Trained(freezeEmbedding bool) int64 {
	n := c.Perceiver + c.Gated
	if !freezeEmbedding {
		n += c.Embedding
	}
	return n
}

// Count counts the parameters of a config without making any.
func Count(c Config) Counts {
	plan := Plan(c)
	var text int64
	for _, w := range plan.text {
		text += int64(w.Len())
	}
	embedding := params.Count(plan.Embedding)
	v := c.Vision
	width, mlp := int64(v.Width), int64(v.MLP)
	layer := 4*width*width + 4*width + 2*width*mlp + width + mlp + 4*width
	tower := 3*width*int64(v.PatchSize*v.PatchSize) + width + int64(v.Patches()+1)*width + 2*width + int64(v.Layers)*layer
	return Counts{Vision: tower, Text: text - embedding, Perceiver: params.Count(plan.Resampler), Gated: params.Count(plan.Gated), Embedding: embedding}
}

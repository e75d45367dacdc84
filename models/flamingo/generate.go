package flamingo

import (
	"context"

	"mmc4/kernels"
	"mmc4/models/lm"
)

// Decoding says how to continue a prompt that sees images.
type Decoding struct {
	lm.Decoding
	// Upstream does what open_flamingo does when <image> is generated: from then on every row of the batch looks only at
	// what its own generated markers say, which for most is nothing. Without it a row goes on looking at the last
	// image of its prompt, whatever the others generate.
	Upstream bool
}

// Generate continues prompts, padded on the left, that see media of the same pass; the pass is reset. What is generated
// looks at the last image of its prompt.
func (m *Model) Generate(ctx context.Context, p *kernels.Pass, prompt lm.Prompt, media *Media, o Decoding) ([]lm.Continuation, error) {
	if err := checkPrompt(prompt, media.Rows); err != nil {
		return nil, err
	}
	kept, err := m.Keep(p, media)
	if err != nil {
		return nil, err
	}
	defer kept.Free()
	defer p.Wait()
	return m.Continue(ctx, p, prompt, kept, o)
}

// Continue is Generate with media that were kept.
func (m *Model) Continue(ctx context.Context, p *kernels.Pass, prompt lm.Prompt, kept *Memory, o Decoding) ([]lm.Continuation, error) {
	if err := checkPrompt(prompt, kept.rows); err != nil {
		return nil, err
	}
	times := kept.times(prompt, m.Config.Media)
	last := counts(times, prompt.Rows)
	var seen []int32 // by row of a step: what a token without a marker looks at
	prompt.Watches = o.Upstream
	prompt.Before = func(p *kernels.Pass, step lm.Step) func(int, kernels.Tensor) kernels.Tensor {
		if step.First {
			return m.before(p, kept, prompt.Unread(times), step.Rows, step.Group)
		}
		if seen == nil {
			seen = make([]int32, step.Rows)
			for i := range seen {
				seen[i] = last[i/step.Group]
			}
		}
		if o.Upstream && hasMarker(step.IDs, m.Config.Media) {
			seen = TextTimes(step.IDs, step.Rows, m.Config.Media) // one token a row
		}
		return m.before(p, kept, seen, step.Rows, step.Group)
	}
	return m.LM.Generate(ctx, p, prompt, o.Decoding)
}

func hasMarker(ids []int32, marker int) bool {
	for _, id := range ids {
		if int(id) == marker {
			return true
		}
	}
	return false
}

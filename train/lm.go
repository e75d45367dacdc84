package train

// A language model as a task: every token is predicted.

import (
	"io"

	"mmc4/kernels"
	"mmc4/models/lm"
	"mmc4/models/lm/params"
	"mmc4/models/weights"
	"mmc4/train/data"
)

// Language teaches all weights of a language model.
type Language struct {
	plain
	Model *lm.Model
	Decay float64 // of matrices and tables
	// Adapters are trained instead of all weights where there are any.
	Adapters []*params.Weight
}

// Groups decays what has two dimensions.
func (l *Language) Groups() []Group {
	if len(l.Adapters) > 0 {
		return []Group{{Name: "adapters", Weights: l.Adapters}}
	}
	decayed, rest := Group{Name: "matrices", Decay: l.Decay}, Group{Name: "vectors"}
	for _, w := range l.Model.Weights {
		if len(w.Shape) > 1 {
			decayed.Weights = append(decayed.Weights, w)
		} else {
			rest.Weights = append(rest.Weights, w)
		}
	}
	return []Group{decayed, rest}
}

// Free frees the model and its adapters.
func (l *Language) Free() {
	params.Free(l.Adapters...)
	l.Model.Free()
}

// Loss is the mean cross entropy.
func (l *Language) Loss(p *kernels.Pass, _ int, b *data.Batch) kernels.Tensor {
	hidden := l.Model.Hidden(p, lm.Input{IDs: b.IDs, Rows: b.Rows, Mask: b.Mask})
	loss, _ := l.Model.Loss(p, hidden, b.Labels)
	return loss
}

// export writes the whole model, with adapters added to their matrices.
func (l *Language) export(p *kernels.Pass, w io.Writer, source params.Source, metadata map[string]string) error {
	tensors, err := l.Model.Merged(p, source)
	if err != nil {
		return err
	}
	merged := map[string]bool{}
	for _, t := range tensors {
		merged[t.Name] = true
	}
	for _, one := range l.Model.Weights {
		if merged[one.Name] {
			continue
		}
		t, err := l.Model.Stored(p, one, source)
		if err != nil {
			return err
		}
		tensors = append(tensors, t)
	}
	return weights.Write(w, tensors, metadata)
}

// NewLanguage makes a model's weights trainable.
func NewLanguage(dev kernels.Device, queue kernels.Queue, m *lm.Model, bf16 bool, decay float64) (*Language, error) {
	return &Language{Model: m, Decay: decay}, params.Train(dev, queue, bf16, m.Weights...)
}

package flamingo

import (
	"fmt"
	"slices"

	"mmc4/kernels"
	"mmc4/models/clip"
	"mmc4/models/lm"
	"mmc4/models/lm/params"
	"mmc4/models/weights"
)

// Sources are the files of a model's three parts. They may be one and the same, and must stay open as long as the model.
type Sources struct {
	Vision   *weights.File // the tower; nil: none, images come as tokens
	LM       *weights.File // nil: random weights
	Flamingo *weights.File // resampler, blocks, embedding; nil: new ones, with closed gates
}

// Options say how weights are kept.
type Options struct {
	DType kernels.DType // of what is not trained: F32 (also 0), BF16, I8
	Seed  uint64        // of new weights
	// Train makes the resampler, the gated blocks and the input embedding trainable (open_flamingo's choice): fp32, with
	// gradients. With BF16 a copy in that type is kept to compute with.
	Train           bool
	BF16            bool
	FreezeEmbedding bool
	// Rows leaves the embedding frozen but for the rows of <image> and <|endofchunk|>: all that open_flamingo's optimizer changes
	// of it, without the gradient of the rest.
	Rows bool
	LoRA *lm.LoRA // adapters on the language model that are trained too; or nil
}

// Model is a language model that sees.
type Model struct {
	Config Config
	Vision *clip.Vision // or nil
	LM     *lm.Model
	// Perceiver and Blocks (one a layer of the language model, nil where there is none) are what Flamingo adds.
	Perceiver *Perceiver
	Blocks    []*GatedBlock

	// Gated, Resampler and Embedding are the weights that training changes, under the names of checkpoints. open_flamingo's
	// optimizer numbers them in this order, and decays the first group alone.
	Gated, Resampler, Embedding []*params.Weight
	Adapters                    []*params.Weight // of LoRA
	Notes                       []string         // what was resized or drawn at random

	text   []*params.Weight // of the language model
	source params.Source    // of the language model; nil: drawn at random
	table  *params.Weight   // the input embedding as a whole, where only rows of it are trained
}

// New makes a model.
func New(dev kernels.Device, queue kernels.Queue, c Config, s Sources, o Options) (*Model, error) {
	if o.DType == 0 {
		o.DType = kernels.F32
	}
	m := &Model{Config: c}
	var err error
	if s.Vision != nil {
		if m.Vision, err = clip.NewVision(dev, queue, s.Vision, c.Vision, 0, o.DType); err != nil {
			return nil, fmt.Errorf("flamingo: vision tower: %w", err)
		}
	}
	l := &params.Loader{Device: dev, Queue: queue, DType: o.DType, Seed: o.Seed}
	if o.Train {
		l.DType = kernels.F32
	}
	var text params.Source
	if s.LM != nil {
		text = lm.Files(c.LM, s.LM)
	}
	if s.Flamingo != nil {
		n := c.parts(s.Flamingo)
		l.Source = n
		switch {
		case c.Style != OpenFlamingo:
		case text == nil:
			text = textParts{n}
		default:
			text = params.First(textParts{n}, text)
		}
	} else {
		m.Notes = append(m.Notes, "resampler and gated blocks are new: the gates are closed, and images have no effect before training")
	}
	m.build(l)
	if err := l.Err(); err != nil {
		return nil, fmt.Errorf("flamingo: %w", err)
	}
	text0 := lm.Options{DType: o.DType, Seed: o.Seed, Draw: s.LM == nil, Resize: true}
	if o.Train && !o.FreezeEmbedding {
		text0.Tables = kernels.F32
	}
	if m.LM, err = lm.New(dev, queue, text, c.LM, text0); err != nil {
		return nil, fmt.Errorf("flamingo: %w", err)
	}
	m.source = text
	m.Notes = append(m.Notes, m.LM.Notes...)
	m.addEmbedding(m.LM.Weights)
	if !o.Train {
		return m, nil
	}
	switch {
	case o.FreezeEmbedding:
		m.Embedding = nil
	case o.Rows:
		m.table = m.Embedding[0]
		rows, err := m.LM.TrainRows(dev, queue, o.BF16, c.Media, c.EOC)
		if err != nil {
			return nil, fmt.Errorf("flamingo: %w", err)
		}
		rows.Name = m.table.Name
		m.Embedding = []*params.Weight{rows}
	}
	if o.LoRA != nil {
		var before params.Source
		if s.Flamingo != nil {
			before = textParts{c.parts(s.Flamingo)}
		}
		if m.Adapters, err = m.LM.AddLoRA(dev, queue, *o.LoRA, o.BF16, o.Seed, before); err != nil {
			return nil, fmt.Errorf("flamingo: %w", err)
		}
		for _, w := range m.Adapters {
			w.Name = c.textName() + w.Name
		}
	}
	if err := params.Train(dev, queue, o.BF16, m.Trained()...); err != nil {
		return nil, fmt.Errorf("flamingo: %w", err)
	}
	if err := queue.Wait(); err != nil {
		return nil, fmt.Errorf("flamingo: %w", err)
	}
	if l.Source != nil { // what is trained has left the file
		for _, w := range append(m.Gated, m.Resampler...) {
			if file, stored, ok := l.Source.Find(w.Name); ok {
				file.Release(stored)
			}
		}
	}
	return m, nil
}

// Plan lists a model's weights without making any: the tower's, the language model's and those that training changes.
func Plan(c Config) (m *Model) {
	m = &Model{Config: c}
	m.build(&params.Loader{DType: kernels.F32})
	m.addEmbedding(lm.Plan(c.LM))
	return m
}

func (m *Model) build(l *params.Loader) {
	c := m.Config
	for i := range c.LM.Layers {
		if !c.HasBlock(i) {
			m.Blocks = append(m.Blocks, nil)
			continue
		}
		l.Prefix = c.blockName(i)
		m.Blocks = append(m.Blocks, NewGatedBlock(l, c.Style, c.LM.Width, c.Vision.Width, c.XAttn, c.AttendPrevious))
	}
	m.Gated = l.Weights
	l.Weights = nil
	l.Prefix = c.resamplerName()
	m.Perceiver = NewPerceiver(l, c.Style, c.Vision.Width, c.Perceiver)
	m.Resampler = l.Weights
}

func (m *Model) addEmbedding(text []*params.Weight) {
	m.text = text
	for _, w := range text {
		if w.Name == m.Config.LM.EmbedName() {
			own := *w
			own.Name = m.Config.embedName()
			m.Embedding = []*params.Weight{&own}
		}
	}
}

// Trained lists the weights that training changes, in the order of open_flamingo's optimizer, adapters last.
func (m *Model) Trained() []*params.Weight {
	return slices.Concat(m.Gated, m.Resampler, m.Embedding, m.Adapters)
}

// Saved lists what a checkpoint holds: the trained weights, the whole of an embedding of which rows are trained, and an output
// head with rows that are nowhere else.
func (m *Model) Saved() []*params.Weight {
	ws := m.Trained()
	if m.table != nil {
		ws = slices.Concat(m.Gated, m.Resampler, []*params.Weight{m.table}, m.Adapters)
	}
	for _, w := range m.text {
		if w.Name == m.Config.LM.HeadName() && slices.Contains(m.LM.Grown, w.Name) {
			own := *w
			own.Name = m.Config.textName() + w.Name
			ws = append(ws, &own)
		}
	}
	return ws
}

// Free gives the model's memory back to the device. The model is of no use after it.
func (m *Model) Free() {
	params.Free(m.Trained()...)
	m.LM.Free()
	if m.Vision != nil {
		m.Vision.Free()
	}
}

// Freeze arranges what is not trained as the device likes it best. With through, gradients can still flow through the
// language model.
func (m *Model) Freeze(dev kernels.Device, queue kernels.Queue, through bool) error {
	if m.Vision != nil {
		if err := m.Vision.Freeze(); err != nil {
			return fmt.Errorf("flamingo: %w", err)
		}
	}
	if err := m.LM.Freeze(dev, queue, through); err != nil {
		return fmt.Errorf("flamingo: %w", err)
	}
	matrices := m.Perceiver.Matrices()
	for _, b := range m.Blocks {
		if b != nil {
			matrices = append(matrices, b.Matrices()...)
		}
	}
	return params.Pack(dev, queue, through, matrices...)
}

// MaskEmbedding clears the gradient of the input embedding but for the rows of <image> and <|endofchunk|>: between the
// backward pass and the optimizer.
func (m *Model) MaskEmbedding(queue kernels.Queue) {
	if len(m.Embedding) > 0 && m.table == nil {
		m.LM.MaskEmbedding(queue, m.Config.Media, m.Config.EOC)
	}
}

// Updated makes lookups see the rows of the embedding that the optimizer, or a checkpoint, changed.
func (m *Model) Updated(queue kernels.Queue) { m.LM.SpreadRows(queue) }

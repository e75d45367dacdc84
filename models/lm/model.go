package lm

import (
	"fmt"
	"slices"

	"mmc4/kernels"
	"mmc4/models/lm/params"
)

// Options say how the weights are kept.
type Options struct {
	DType  kernels.DType // of matrices and tables: F32 (also 0), BF16, I8 (tables then in fp32)
	Tables kernels.DType // of tables, where it is to be another; an embedding that is trained wants F32
	Seed   uint64        // of weights that no file holds
	Draw   bool          // draw what the source does not hold instead of failing
	Resize bool          // the vocabulary of the config wins over the file's: rows are cut off or added
}

// Model is a language model.
type Model struct {
	Config  Config
	Weights []*params.Weight // in the order of the layers
	Notes   []string         // what Options.Resize did
	Grown   []string         // names of weights with rows that no file holds

	embed, positions      *kernels.Param
	head                  *kernels.Param // the embedding's when tied
	projectIn, projectOut *kernels.Param
	blocks                []*block
	last                  norm
	slopes                []float32
	dtype                 kernels.DType
	rows                  *kernels.Rows // of the embedding that are trained; nil: none, or all
}

// New makes a model of a source's weights, or of random ones when the source is nil. Files that the weights come from must
// stay open as long as the model.
func New(dev kernels.Device, queue kernels.Queue, source params.Source, c Config, o Options) (*Model, error) {
	if o.DType == 0 {
		o.DType = kernels.F32
	}
	l := &params.Loader{Device: dev, Queue: queue, Source: source, DType: o.DType, Tables: o.Tables, Seed: o.Seed, Draw: o.Draw, Resize: o.Resize}
	m := build(l, c)
	err := l.Err()
	if err == nil && source != nil {
		err = whole(source, c)
	}
	if err != nil {
		return nil, fmt.Errorf("language model: %w", err)
	}
	m.Weights, m.Notes, m.Grown = l.Weights, l.Notes, l.Grown
	return m, nil
}

// Plan lists the weights of a model without making any: for counts and headers.
func Plan(c Config) []*params.Weight {
	l := &params.Loader{DType: kernels.F32}
	build(l, c)
	return l.Weights
}

func build(l *params.Loader, c Config) *Model {
	n := c.names()
	m := &Model{Config: c, dtype: l.DType}
	small := params.Normal(0.02)
	m.embed = l.Table(n.embed+".weight", c.Vocab, c.EmbedWidth, small)
	if c.Positions != NoPositions {
		m.positions = l.Table(n.positions+".weight", c.MaxPositions+c.PositionOffset, c.Width, small)
	}
	if c.EmbedWidth != c.Width {
		m.projectIn = l.Matrix(n.projectIn+".weight", c.Width, c.EmbedWidth, small)
	}
	for i := range c.Layers {
		if l.Err() != nil {
			return m
		}
		m.blocks = append(m.blocks, newBlock(l, c, n, i))
	}
	if c.LastNorm {
		m.last = newNorm(l, n.lastNorm, c.Width, c.NormBias, c)
	}
	if c.EmbedWidth != c.Width {
		m.projectOut = l.Matrix(n.projectOut+".weight", c.EmbedWidth, c.Width, small)
	}
	switch {
	case !c.Tied:
		m.head = l.Matrix(n.head+".weight", c.Vocab, c.EmbedWidth, small)
	case l.DType == kernels.I8:
		m.head = l.Quantized(n.embed+".weight", c.Vocab, c.EmbedWidth)
	default:
		m.head = m.embed
	}
	if c.ALiBi {
		m.slopes = Slopes(c.Heads, c.ALiBiMax)
	}
	return m
}

// Weight is the weight of a name, or nil.
func (m *Model) Weight(name string) *params.Weight {
	for _, w := range m.Weights {
		if w.Name == name {
			return w
		}
	}
	return nil
}

// Freeze arranges the matrices as the device likes them best. With through, gradients can still flow through them to what
// lies below, and fp32 stays as it is: products of a training step's many rows gain nothing from a second copy. Without, the
// plain form is given back (but for a tied embedding). Trainable weights are left alone.
func (m *Model) Freeze(dev kernels.Device, queue kernels.Queue, through bool) error {
	if through && m.dtype == kernels.F32 {
		return nil
	}
	var matrices []*kernels.Param
	for _, b := range m.blocks {
		matrices = append(matrices, b.matrices()...)
	}
	for _, p := range []*kernels.Param{m.projectIn, m.projectOut} {
		if p != nil {
			matrices = append(matrices, p)
		}
	}
	tied := m.head == m.embed
	if !tied {
		matrices = append(matrices, m.head)
	}
	if err := params.Pack(dev, queue, through, matrices...); err != nil {
		return fmt.Errorf("language model: %w", err)
	}
	if tied {
		return params.Pack(dev, queue, true, m.head)
	}
	return nil
}

// TrainRows makes single rows of the frozen input embedding trainable, and of a tied head with it (bf16: computed in that
// type). The weight it gives is [len(ids), C]. Before Freeze.
func (m *Model) TrainRows(dev kernels.Device, queue kernels.Queue, bf16 bool, ids ...int) (*params.Weight, error) {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	table, width := m.embed.Value, m.Config.EmbedWidth
	for _, id := range ids {
		if id < 0 || id >= m.Config.Vocab {
			return nil, fmt.Errorf("language model: row %d of an embedding of %d cannot be trained", id, m.Config.Vocab)
		}
	}
	alloc := func(dtype kernels.DType, rows int) (kernels.Tensor, error) {
		buf, err := dev.Alloc(rows * width * dtype.Size())
		if err != nil {
			return kernels.Tensor{}, fmt.Errorf("language model: trained rows: %w", err)
		}
		return kernels.View(buf, 0, dtype, rows, width), nil
	}
	name := m.Config.EmbedName()
	value, err := alloc(kernels.F32, len(ids))
	if err != nil {
		return nil, err
	}
	for i, id := range ids {
		queue.Do(&kernels.Copy{Src: table.Slice(0, id, id+1), Dst: value.Slice(0, i, i+1)})
	}
	own := &kernels.Param{Name: name, Value: value}
	if err := own.Train(dev, queue, bf16); err != nil {
		value.Mem.Free()
		return nil, err
	}
	if bf16 && m.head == m.embed {
		head, err := alloc(kernels.BF16, m.Config.Vocab)
		if err != nil {
			return nil, err
		}
		queue.Do(&kernels.Copy{Src: table, Dst: head})
		m.head = &kernels.Param{Name: name, Value: head}
	}
	m.rows = &kernels.Rows{IDs: ids, Param: own}
	return &params.Weight{Name: name, Shape: []int{m.Config.Vocab, width}, Rows: ids, Param: own}, queue.Wait()
}

// Free gives the model's memory back to the device. The model is of no use after it.
func (m *Model) Free() {
	params.Free(append(slices.Clone(m.Weights), m.own()...)...)
}

// own are parameters that are no weights of a file: a tied head in another type, rows that are trained.
func (m *Model) own() (ws []*params.Weight) {
	if m.head != nil && m.head != m.embed {
		ws = append(ws, &params.Weight{Param: m.head})
	}
	if m.rows != nil {
		ws = append(ws, &params.Weight{Param: m.rows.Param})
	}
	return ws
}

// SpreadRows makes lookups see what the optimizer made of trained rows.
func (m *Model) SpreadRows(queue kernels.Queue) {
	if m.rows != nil {
		m.rows.Spread(queue, m.embed.Value)
	}
}

// MaskEmbedding clears the gradient of the input embedding but for the rows of ids (open_flamingo trains the rows of its own
// tokens alone). It belongs between the backward pass and the optimizer.
func (m *Model) MaskEmbedding(queue kernels.Queue, ids ...int) {
	params.KeepRows(queue, m.embed, ids...)
}

package lm

import (
	"bytes"
	"fmt"
	"slices"

	"mmc4/kernels"
)

// Input is a batch of token ids.
type Input struct {
	IDs  []int32 // [B,T]
	Rows int     // B
	Mask []byte  // [B, cached + T]: 0 hides a token (padding on either side); nil shows all
	// Counted takes positions from the mask, as Hugging Face's generate does for all models; without it only OPT and MPT
	// without ALiBi do, and the others number the places.
	Counted bool
	Cache   *Cache // what was read before; grows by T
	// Before computes something before a layer: Flamingo's gated cross attention. nil: nothing.
	Before func(layer int, x_BTC kernels.Tensor) kernels.Tensor
}

// Len is T.
func (in Input) Len() int { return len(in.IDs) / max(in.Rows, 1) }

// check reports what cannot be computed.
func (m *Model) check(in Input, past int) error {
	switch {
	case in.Rows <= 0 || len(in.IDs) == 0 || len(in.IDs)%in.Rows != 0:
		return fmt.Errorf("language model: %d ids do not make %d rows", len(in.IDs), in.Rows)
	case in.Mask != nil && len(in.Mask) != in.Rows*(past+in.Len()):
		return fmt.Errorf("language model: a mask of %d for %d rows of %d tokens", len(in.Mask), in.Rows, past+in.Len())
	}
	for i, id := range in.IDs {
		if id < 0 || int(id) >= m.Config.Vocab {
			return fmt.Errorf("language model: token %d of row %d has the id %d, but the vocabulary has %d: tokenizer and model do not belong together",
				i%in.Len(), i/in.Len(), id, m.Config.Vocab)
		}
	}
	return nil
}

// Hidden is what the last layer gives, [B,T,C]; Logits takes it further.
func (m *Model) Hidden(p *kernels.Pass, in Input) kernels.Tensor {
	past := 0
	if in.Cache != nil {
		past = in.Cache.length
	}
	t := in.Len()
	if err := m.check(in, past); err != nil {
		p.Fail(err)
		return p.Alloc(p.DType, max(in.Rows, 1), max(t, 1), m.Config.Width)
	}
	r := &run{cache: in.Cache, before: in.Before}
	places := m.places(in, past)
	x := m.embedding(p, in, places)
	if m.Config.RotaryDims > 0 {
		r.positions = p.FromInt32(places, in.Rows, t)
	}
	m.share(p, r, in.Mask, past+t)
	x = m.layers(p, x, r)
	if in.Cache != nil {
		in.Cache.length += t
	}
	return x
}

// share sends what all layers need: a mask [B,keys] that hides something, ALiBi's slopes.
func (m *Model) share(p *kernels.Pass, r *run, mask []byte, keys int) {
	if bytes.IndexByte(mask, 0) >= 0 {
		r.keyMask = p.FromUint8(mask, len(mask)/keys, keys)
	}
	if m.slopes != nil {
		r.slopes = p.Upload(kernels.F32, kernels.EncodeFloats(kernels.F32, m.slopes), len(m.slopes))
	}
}

// layers runs all of them on x [B,T,C].
func (m *Model) layers(p *kernels.Pass, x kernels.Tensor, r *run) kernels.Tensor {
	for i, b := range m.blocks {
		if r.before != nil {
			x = r.before(i, x)
		}
		x = b.apply(p, i, x, r)
	}
	return x
}

// embedding is the tokens' and, where they are learned, the positions' [B,T,C].
func (m *Model) embedding(p *kernels.Pass, in Input, places []int32) kernels.Tensor {
	t := in.Len()
	args := kernels.EmbedArgs{Table: m.embed, IDs: p.FromInt32(in.IDs, in.Rows, t)}
	if none := int32(m.Config.NoGradID); none >= 0 && m.embed.Trainable {
		ids := append([]int32(nil), in.IDs...)
		for i, id := range ids {
			if id == none {
				ids[i] = -1
			}
		}
		args.GradIDs = p.FromInt32(ids, in.Rows, t)
	}
	look := p.EmbedWith
	if m.rows != nil {
		places := make([]int32, len(in.IDs))
		for i, id := range in.IDs {
			places[i] = int32(slices.Index(m.rows.IDs, int(id)))
		}
		args.GradIDs = p.FromInt32(places, in.Rows, t)
		look = func(a kernels.EmbedArgs) kernels.Tensor { return p.EmbedRows(a, m.rows) }
	}
	if m.positions == nil {
		return look(args)
	}
	for _, place := range places {
		if err := m.within(place); err != nil {
			p.Fail(err)
			return p.Alloc(p.DType, in.Rows, t, m.Config.Width)
		}
	}
	return m.look(p, args, look, p.FromInt32(places, in.Rows, t))
}

// look is the lookup of tokens and, where they are learned, of positions [B,T].
func (m *Model) look(p *kernels.Pass, args kernels.EmbedArgs, look func(kernels.EmbedArgs) kernels.Tensor, posIDs kernels.Tensor) kernels.Tensor {
	switch {
	case m.positions == nil:
		return look(args)
	case m.projectIn == nil:
		args.Positions, args.PosIDs = m.positions, posIDs
		return look(args)
	}
	x := p.Linear(look(args), m.projectIn, nil)
	return p.Add(x, p.Embed(m.positions, posIDs), 1)
}

// places are the positions of the T new tokens of each row, as the table or the rotary angles count them.
func (m *Model) places(in Input, past int) []int32 {
	t := in.Len()
	all := past + t
	places := make([]int32, len(in.IDs))
	for row := range in.Rows {
		seen := int32(0) // shown tokens up to this one
		for j := range all {
			shown := int32(1)
			if in.Mask != nil && in.Mask[row*all+j] == 0 {
				shown = 0
			}
			seen += shown
			if j < past {
				continue
			}
			place := int32(j)
			switch {
			case m.Config.Positions == LearnedByMask:
				place = seen*shown - 1 + int32(m.Config.PositionOffset)
			case m.Config.Positions == LearnedLessShift:
				place = max(place-(int32(j)+1-seen), 0)
			case in.Counted && shown == 0:
				place = 1
			case in.Counted:
				place = seen - 1
			}
			places[row*t+j-past] = place
		}
	}
	return places
}

// Logits is fp32 [..,V] of what Hidden gave, or of rows of it.
func (m *Model) Logits(p *kernels.Pass, x kernels.Tensor) kernels.Tensor {
	x = m.last.apply(p, x)
	if m.projectOut != nil {
		x = p.Linear(x, m.projectOut, nil)
	}
	head := kernels.LinearArgs{X: x, W: m.head, Alpha: m.Config.LogitScale, DType: kernels.F32}
	if m.rows != nil && m.Config.Tied {
		return p.LinearRows(head, m.rows)
	}
	return p.LinearWith(head)
}

// NoLabel marks a token that is not to be predicted.
const NoLabel = kernels.IgnoreLabel

// Shift moves labels [B,T] to the places that predict them: place t gets the label of t+1, the last of a row none.
func Shift(labels []int32, rows int) []int32 {
	t := len(labels) / max(rows, 1)
	out := make([]int32, len(labels))
	for i := range out {
		out[i] = NoLabel
		if i%t < t-1 {
			out[i] = labels[i+1]
		}
	}
	return out
}

// Loss is the mean cross entropy of labels [B,T] (NoLabel: none) that Hidden's x [B,T,C] predicts one place before, fp32
// [1], and the number of such places, fp32 [1]. Logits are computed only where there is a label. Without any the loss is
// NaN, as PyTorch has it.
func (m *Model) Loss(p *kernels.Pass, x_BTC kernels.Tensor, labels []int32) (loss, count kernels.Tensor) {
	if x_BTC.Rank != 3 || len(labels) != x_BTC.Rows() {
		p.Fail(fmt.Errorf("language model: %d labels for %v", len(labels), x_BTC))
		return p.Alloc(kernels.F32, 1), p.Alloc(kernels.F32, 1)
	}
	shifted := Shift(labels, x_BTC.Dims[0])
	var places, wanted []int32
	for i, label := range shifted {
		if label == NoLabel {
			continue
		}
		if label < 0 || int(label) >= m.Config.Vocab {
			p.Fail(fmt.Errorf("language model: the label %d is not in the vocabulary of %d", label, m.Config.Vocab))
			return p.Alloc(kernels.F32, 1), p.Alloc(kernels.F32, 1)
		}
		places, wanted = append(places, int32(i)), append(wanted, label)
	}
	if len(places) == 0 {
		places, wanted = []int32{0}, []int32{NoLabel}
	}
	picked := p.Rows(x_BTC, p.FromInt32(places, len(places)))
	return p.CrossEntropyInPlace(m.Logits(p, picked), p.FromInt32(wanted, len(wanted)))
}

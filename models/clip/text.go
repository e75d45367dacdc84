package clip

// The text tower: open_clip's TextTransformer, which is Hugging Face's CLIPTextModel.

import (
	"fmt"

	"mmc4/kernels"
	"mmc4/models/weights"
)

// Text is the text tower.
type Text struct {
	Config TextConfig
	Params []*kernels.Param // under open_clip's names

	embedding *kernels.Param // [V, C]
	positions *kernels.Param // [context, C]
	blocks    []*block
	final     norm
	proj      *kernels.Param // [C, embed]
	loader    *loader
}

const (
	textAnchor, textAnchorHF = "token_embedding.weight", "text_model.embeddings.token_embedding.weight"
	textBlocks, textBlocksHF = "transformer.resblocks.%d.", "text_model.encoder.layers.%d."
)

// NewText reads the text tower, as NewVision does the image tower.
func NewText(dev kernels.Device, queue kernels.Queue, file *weights.File, c TextConfig, embedDim int, dtype kernels.DType) (*Text, error) {
	l := newLoader(dev, queue, file, dtype)
	if l.prefix, l.hf = prefixOf(file, textAnchorHF); !l.hf {
		var ok bool
		if l.prefix, ok = prefixOf(file, textAnchor); !ok {
			return nil, fmt.Errorf("%s: neither %q nor %q is in it: no text tower of CLIP", file.Path, textAnchor, textAnchorHF)
		}
	}
	t := &Text{Config: c}
	t.embedding = l.table(textAnchor, textAnchorHF, c.Vocab, c.Width)
	t.positions = l.table("positional_embedding", "text_model.embeddings.position_embedding.weight", c.Context, c.Width)
	for i := range c.Layers {
		if l.err != nil {
			break
		}
		t.blocks = append(t.blocks, l.block(fmt.Sprintf(textBlocks, i), fmt.Sprintf(textBlocksHF, i),
			c.Width, c.Heads, c.MLP, c.Act, c.Eps))
	}
	l.last(textBlocks, textBlocksHF, c.Layers)
	t.final = l.norm("ln_final", "text_model.final_layer_norm", c.Width, c.Eps)
	t.proj = l.projection("text_projection", "text_projection.weight", c.Width, embedDim)
	t.Params, t.loader = l.params, l
	return t, l.err
}

// Freeze arranges the matrices as the device likes them best.
func (t *Text) Freeze() error {
	matrices := []*kernels.Param(nil)
	for _, b := range t.blocks {
		matrices = append(matrices, b.matrices()...)
	}
	return t.loader.pack(matrices)
}

// Features is the projected feature [B,embed] of rows of ids, each of the same length of at most Config.Context, not
// normalised. What stands after the end token does not matter.
func (t *Text) Features(p *kernels.Pass, rows [][]int64) kernels.Tensor {
	length := 0
	if len(rows) > 0 {
		length = len(rows[0])
	}
	if length == 0 || length > t.Config.Context {
		p.Fail(fmt.Errorf("clip: texts of %d ids; 1 to %d are possible", length, t.Config.Context))
		return p.Alloc(kernels.F32, max(len(rows), 1), t.proj.Shape()[1])
	}
	ids, places := make([]int32, 0, len(rows)*length), make([]int32, 0, len(rows)*length)
	ends := make([]int32, len(rows))
	for i, row := range rows {
		for j, id := range row {
			if id < 0 || id >= int64(t.Config.Vocab) || len(row) != length {
				p.Fail(fmt.Errorf("clip: text %d has the id %d in a vocabulary of %d, or another length than the first", i, id, t.Config.Vocab))
				id = 0
			}
			if j < length {
				ids, places = append(ids, int32(id)), append(places, int32(j))
			}
		}
		ends[i] = int32(i*length + t.end(row))
	}
	x_BTC := p.EmbedWith(kernels.EmbedArgs{Table: t.embedding, IDs: p.FromInt32(ids, len(rows), length),
		Positions: t.positions, PosIDs: p.FromInt32(places, len(rows), length)})
	x_BTC = layers(p, t.blocks, x_BTC, true)
	pooled_BC := p.Rows(x_BTC, p.FromInt32(ends, len(rows)))
	return p.MatMul(t.final.apply(p, pooled_BC), p.Use(t.proj), false, false, 1, kernels.F32)
}

// end is the place whose feature counts.
func (t *Text) end(row []int64) int {
	best := 0
	for i, id := range row {
		if t.Config.EOS >= 0 {
			if id == int64(t.Config.EOS) {
				return i
			}
		} else if id > row[best] {
			best = i
		}
	}
	return best
}

// Free gives the tower's memory back to the device.
func (t *Text) Free() { free(t.Params) }

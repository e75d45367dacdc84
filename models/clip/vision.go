package clip

// The image tower: open_clip's VisionTransformer before 2.23 (no ln_post on patch tokens), which is Hugging Face's.

import (
	"fmt"

	"mmc4/kernels"
	"mmc4/models/weights"
)

// Vision is the image tower.
type Vision struct {
	Config VisionConfig
	Params []*kernels.Param // under open_clip's names

	patch     *kernels.Param // [C, 3*patch*patch]
	class     *kernels.Param // [C]
	positions *kernels.Param // [1+P, C]
	before    norm
	blocks    []*block
	after     norm
	proj      *kernels.Param // [C, embed], or nil when only patch tokens are wanted
	loader    *loader
}

const (
	visionAnchor     = "visual.class_embedding"
	visionAnchorHF   = "vision_model.embeddings.class_embedding"
	visionAnchorBare = "class_embedding" // open_clip's tower stored alone, as in OpenFlamingo's vision_encoder

	visionBlocks, visionBlocksHF = "visual.transformer.resblocks.%d.", "vision_model.encoder.layers.%d."
)

// NewVision reads the image tower from weights in open_clip's or Hugging Face's names, under any prefix. dtype is the type
// of the matrices: F32, or BF16 or I8 for inference only. With embedDim 0 the projection is not read: enough for Patches. The file must stay open
// as long as the tower.
func NewVision(dev kernels.Device, queue kernels.Queue, file *weights.File, c VisionConfig, embedDim int, dtype kernels.DType) (*Vision, error) {
	l := newLoader(dev, queue, file, dtype)
	var ok bool
	if l.prefix, l.hf = prefixOf(file, visionAnchorHF); !l.hf {
		if l.prefix, ok = prefixOf(file, visionAnchor); !ok {
			l.strip = "visual."
			if l.prefix, ok = prefixOf(file, visionAnchorBare); !ok {
				return nil, fmt.Errorf("%s: neither %q nor %q is in it: no image tower of CLIP", file.Path, visionAnchor, visionAnchorHF)
			}
		}
	}
	patch := 3 * c.PatchSize * c.PatchSize
	conv := "visual.conv1.weight"
	if l.hf {
		conv = "vision_model.embeddings.patch_embedding.weight"
	}
	v := &Vision{Config: c}
	v.patch = l.matrix("visual.conv1.weight", conv, l.tensor(conv, c.Width, 3, c.PatchSize, c.PatchSize), c.Width, patch)
	v.class = l.table(visionAnchor, visionAnchorHF, c.Width)
	v.positions = l.table("visual.positional_embedding", "vision_model.embeddings.position_embedding.weight", 1+c.Patches(), c.Width)
	v.before = l.norm("visual.ln_pre", "vision_model.pre_layrnorm", c.Width, c.Eps)
	for i := range c.Layers {
		if l.err != nil {
			break
		}
		v.blocks = append(v.blocks, l.block(fmt.Sprintf(visionBlocks, i), fmt.Sprintf(visionBlocksHF, i),
			c.Width, c.Heads, c.MLP, c.Act, c.Eps))
	}
	l.last(visionBlocks, visionBlocksHF, c.Layers)
	if embedDim > 0 {
		v.after = l.norm("visual.ln_post", "vision_model.post_layernorm", c.Width, c.Eps)
		v.proj = l.projection("visual.proj", "visual_projection.weight", c.Width, embedDim)
	}
	v.Params, v.loader = l.params, l
	return v, l.err
}

// Freeze arranges the matrices as the device likes them best. After it the tower cannot be trained.
func (v *Vision) Freeze() error {
	matrices := []*kernels.Param{v.patch}
	for _, b := range v.blocks {
		matrices = append(matrices, b.matrices()...)
	}
	return v.loader.pack(matrices)
}

// Shape is a parameter's shape in open_clip's files (the patches' filter is a matrix here and has four dimensions there).
func (v *Vision) Shape(name string) []int { return v.loader.shapes[name] }

// tokens is the last block's output [B, 1+P, C]: the class token, then the patches row by row.
func (v *Vision) tokens(p *kernels.Pass, pixels_B3HW kernels.Tensor) kernels.Tensor {
	x_BPC := p.Linear(p.Patchify(pixels_B3HW, v.Config.PatchSize), v.patch, nil)
	class_B1C := p.Repeat(p.Use(v.class).Reshape(1, v.Config.Width), x_BPC.Dims[0])
	x_BTC := p.Add(p.Concat(1, class_B1C, x_BPC), p.Use(v.positions), 1)
	return layers(p, v.blocks, v.before.apply(p, x_BTC), false)
}

// Tokens is the last block's output [B, 1+P, C] of normalised pixels [B,3,H,W], class token included, before any norm: what
// flamingo-mini reads.
func (v *Vision) Tokens(p *kernels.Pass, pixels_B3HW kernels.Tensor) kernels.Tensor {
	return v.tokens(p, pixels_B3HW)
}

// Patches is the patch tokens [B,P,C] of normalised pixels [B,3,H,W], before any norm or projection: what Flamingo reads.
func (v *Vision) Patches(p *kernels.Pass, pixels_B3HW kernels.Tensor) kernels.Tensor {
	x_BTC := v.tokens(p, pixels_B3HW)
	return x_BTC.Slice(1, 1, x_BTC.Dims[1])
}

// Features is the projected class token [B,embed], not normalised.
func (v *Vision) Features(p *kernels.Pass, pixels_B3HW kernels.Tensor) kernels.Tensor {
	features, _ := v.Both(p, pixels_B3HW)
	return features
}

// Both is Features and Patches of one run.
func (v *Vision) Both(p *kernels.Pass, pixels_B3HW kernels.Tensor) (features, patches kernels.Tensor) {
	x_BTC := v.tokens(p, pixels_B3HW)
	class_BC := p.Contiguous(x_BTC.Slice(1, 0, 1)).Reshape(x_BTC.Dims[0], v.Config.Width)
	features = p.MatMul(v.after.apply(p, class_BC), p.Use(v.proj), false, false, 1, kernels.F32)
	return features, x_BTC.Slice(1, 1, x_BTC.Dims[1])
}

// Free gives the tower's memory back to the device.
func (v *Vision) Free() { free(v.Params) }

package flamingo

// Names of the parts that Flamingo adds, in the files of open_flamingo (2.x, 1.x, training checkpoints, with or without
// "module."), flamingo-mini and this program.

import (
	"fmt"
	"strings"

	"mmc4/models/lm/params"
	"mmc4/models/weights"
)

// resamplerName and blockName are the prefixes of the parts' weights, with a dot at their end.
func (c Config) resamplerName() string {
	if c.Style == FlamingoMini {
		return "flamingo.resampler."
	}
	return "perceiver."
}

func (c Config) blockName(layer int) string {
	at := c.LM.LayerName(layer)
	if c.Style == FlamingoMini {
		return c.textName() + at[strings.IndexByte(at, '.')+1:] + "xattn_block."
	}
	return c.textName() + at + "gated_cross_attn_layer."
}

// textName stands before the language model's names.
func (c Config) textName() string {
	if c.Style == FlamingoMini {
		return "flamingo.lm."
	}
	return "lang_encoder."
}

// embedName is the input embedding's full name.
func (c Config) embedName() string {
	name := c.LM.EmbedName()
	if c.Style == FlamingoMini {
		name = name[strings.IndexByte(name, '.')+1:]
	}
	return c.textName() + name
}

// partNames finds the parts in a file.
type partNames struct {
	file   *weights.File
	prefix string
	v1     map[string]string // open_flamingo 1.x: "lang_encoder.gated_cross_attn_layers.I." for a block's prefix
}

func (c Config) parts(file *weights.File) *partNames {
	n := &partNames{file: file, v1: map[string]string{}}
	n.prefix, _ = params.PrefixOf(file, c.resamplerName()+"latents")
	for i := range c.LM.Layers {
		if c.HasBlock(i) {
			n.v1[c.blockName(i)] = fmt.Sprintf("lang_encoder.gated_cross_attn_layers.%d.", i)
		}
	}
	return n
}

func (n *partNames) Find(name string) (*weights.File, string, bool) {
	stored := n.prefix + name
	if n.file.Has(stored) {
		return n.file, stored, true
	}
	if at := strings.Index(name, "gated_cross_attn_layer."); at >= 0 {
		at += len("gated_cross_attn_layer.")
		if old, ok := n.v1[name[:at]]; ok && n.file.Has(n.prefix+old+name[at:]) {
			return n.file, n.prefix + old + name[at:], true
		}
	}
	return n.file, stored, false
}

// textParts finds what a checkpoint says of the language model: the trained embedding, and an output head of its own
// (a tied head is there under a second name, which nobody asks for).
type textParts struct{ n *partNames }

func (t textParts) Find(name string) (*weights.File, string, bool) {
	stored := t.n.prefix + "lang_encoder." + name
	return t.n.file, stored, t.n.file.Has(stored)
}

package demo

// The demo's own CLIP: weights, config and vocabulary, trained by tools/democlip on drawings of other seeds.

import (
	"embed"
	"io/fs"
)

//go:embed clip
var clipFiles embed.FS

// CLIP gives the folder of the embedded model: open_clip_config.json, model.safetensors (half precision, open_clip's names)
// and bpe_simple_vocab_16e6.txt (open_clip's name for a merge table; the table is our own).
func CLIP() fs.FS {
	folder, err := fs.Sub(clipFiles, "clip")
	if err != nil { // only for an invalid name
		panic(err)
	}
	return folder
}

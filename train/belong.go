package train

// Whether a tokenizer is that of a language model's weights: compared with the one that lies beside them, where one does.

import (
	"os"
	"path/filepath"

	"mmc4/models/tokenizer"
)

// belongs refuses a tokenizer by which other ids mean the same tokens than by the one in the folder of a language model's weights. Where no
// tokenizer lies there nothing can be said. key is the config's, for the error.
func (r *reading) belongs(key, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return nil // weights elsewhere than in a folder here
	}
	if !info.IsDir() {
		path = filepath.Dir(path)
	}
	own, err := tokenizer.Load(path)
	if err != nil {
		return nil
	}
	for id := range min(own.Size(), r.tokens.Size()) {
		there, here := own.Token(id), r.tokens.Token(id)
		if there != here && there != "" && here != "" {
			return wrong("tokenizer.path %s is not the tokenizer of %s: id %d is %q there and %q beside the weights; set tokenizer.path to %s", r.config.Tokenizer.Path, key, id, here, there, path)
		}
	}
	return nil
}

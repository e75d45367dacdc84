package hub

// Which files of a repository a model needs. Reads the list of names, decides; the shards of an index come later.

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strings"
)

// Files at the top of a repository that are taken when they are there.
var (
	configNames    = []string{"config.json", "open_clip_config.json", "preprocessor_config.json", "generation_config.json"}
	tokenizerNames = []string{
		"tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
		"vocab.json", "merges.txt", "bpe_simple_vocab_16e6.txt.gz", "bpe_simple_vocab_16e6.txt",
	}
	// vocabularies are the tokenizer files of which one, or a pair, makes a tokenizer.
	vocabularies = []string{"tokenizer.json", "tokenizer.model", "vocab.json", "bpe_simple_vocab_16e6.txt.gz", "bpe_simple_vocab_16e6.txt"}
	// weightNames: the first that is there is taken. Safetensors before pickles.
	weightNames = []string{
		"model.safetensors", "model.safetensors.index.json", "open_clip_model.safetensors", "open_clip_pytorch_model.safetensors",
		"pytorch_model.bin", "pytorch_model.bin.index.json", "open_clip_pytorch_model.bin",
	}
	// weightEndings are tried in this order when none of weightNames is there.
	weightEndings = []string{".safetensors", ".pt", ".bin", ".pth"}
)

var errNoWeights = errors.New("the repository holds no weights that can be read (safetensors, .bin, .pt)")

// choice is what is to be fetched.
type choice struct {
	small   []string // config, tokenizer, and what was asked for besides
	weights string   // a file, or the index of shards
	notes   []string // what is missing
}

// choose picks from the names of a repository. include are globs of further files.
func choose(names, include []string) (choice, error) {
	var c choice
	c.small = present(names, slices.Concat(configNames, tokenizerNames))
	for _, pattern := range include {
		found := false
		for _, name := range names {
			ok, err := path.Match(pattern, name)
			if err != nil {
				return c, fmt.Errorf("the pattern %q %w: %w", pattern, ErrUsage, err)
			}
			if found = found || ok; ok && !slices.Contains(c.small, name) {
				c.small = append(c.small, name)
			}
		}
		if !found {
			return c, fmt.Errorf("the pattern %q %w: no file matches it; there are: %s", pattern, ErrUsage, some(names))
		}
	}
	if len(present(names, configNames[:2])) == 0 {
		c.notes = append(c.notes, "the repository has neither config.json nor open_clip_config.json")
	}
	if len(present(names, vocabularies)) == 0 {
		c.notes = append(c.notes, "the repository has no tokenizer; put its files (tokenizer.json, tokenizer.model, or vocab.json with merges.txt) into the folder")
	}
	if known := present(names, weightNames); len(known) > 0 {
		c.weights = known[0]
		c.small = slices.DeleteFunc(c.small, func(name string) bool { return name == c.weights })
		return c, nil
	}
	for _, ending := range weightEndings {
		var of []string
		for _, name := range names {
			if strings.HasSuffix(name, ending) && !strings.Contains(name, "/") {
				of = append(of, name)
			}
		}
		switch {
		case len(of) == 1:
			c.weights = of[0]
			c.small = slices.DeleteFunc(c.small, func(name string) bool { return name == c.weights })
			return c, nil
		case len(of) > 1 && slices.ContainsFunc(of, func(name string) bool { return slices.Contains(c.small, name) }):
			return c, nil // one was asked for by name
		case len(of) > 1:
			return c, fmt.Errorf("the repository has several files of weights and none under a usual name; choose with --include: %s", some(of))
		}
	}
	if slices.ContainsFunc(c.small, func(name string) bool { return slices.Contains(weightEndings, path.Ext(name)) }) {
		return c, nil
	}
	return c, fmt.Errorf("%w; there are: %s", errNoWeights, some(names))
}

// present gives the wanted names that are there, in the wanted order.
func present(names, wanted []string) []string {
	var out []string
	for _, name := range wanted {
		if slices.Contains(names, name) {
			out = append(out, name)
		}
	}
	return out
}

// some names a few.
func some(names []string) string {
	const most = 20
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}

// shardsOf reads the names of shards from an index.json, relative to the repository.
func shardsOf(index []byte, name string) ([]string, error) {
	var in struct {
		WeightMap map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(index, &in); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(in.WeightMap) == 0 {
		return nil, fmt.Errorf("%s has no weight_map: it is not an index of weight shards", name)
	}
	seen := map[string]bool{}
	var shards []string
	for tensor, shard := range in.WeightMap {
		if !filepath.IsLocal(shard) || path.Clean(shard) != shard {
			return nil, fmt.Errorf("%s puts the tensor %q into %q, which is no file of the repository", name, tensor, shard)
		}
		if !seen[shard] {
			seen[shard] = true
			shards = append(shards, shard)
		}
	}
	sort.Strings(shards)
	return shards, nil
}

package mini

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// WriteModel writes a tiny Flamingo of random weights to a folder: description and weights of a golden case of kind
// flamingo.generate, and a tokenizer of single characters.
func WriteModel(dir, golden string) error {
	text, err := os.ReadFile(filepath.Join(golden, "case.json"))
	if err != nil {
		return err
	}
	var in struct{ Config json.RawMessage }
	if err := json.Unmarshal(text, &in); err != nil {
		return err
	}
	weights, err := os.ReadFile(filepath.Join(golden, "tensors.safetensors"))
	if err != nil {
		return err
	}
	vocab := map[string]int{"Ċ": 92, "Ġ": 93} // line feed and space, as byte-level tokenizers write them
	for c := byte('!'); c <= '|'; c++ {
		vocab[string(c)] = int(c - '!')
	}
	w := &writer{root: dir}
	w.json("tokenizer.json", object{"version": "1.0", "added_tokens": []any{}, "normalizer": nil, "post_processor": nil,
		"pre_tokenizer": object{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
		"decoder":       object{"type": "ByteLevel"}, "model": object{"type": "BPE", "vocab": vocab, "merges": []string{}}})
	w.bytes("flamingo.json", in.Config)
	w.bytes("flamingo.safetensors", weights) // vision tower and language model are in it too
	return w.err
}

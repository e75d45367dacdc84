package tokenizer

// Load: the right tokenizer for the files of a folder. Reads tokenizer.json, tokenizer.model, vocab.json, merges.txt,
// added_tokens.json, tokenizer_config.json, bpe_simple_vocab_16e6.txt(.gz).

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
)

const maxFileBytes = 256 << 20

// Load opens the tokenizer of a model's folder, or a single tokenizer.json, tokenizer.model or CLIP merge table.
// A folder's tokenizer.model (LLaMA) wins over its tokenizer.json, and that over vocab.json with merges.txt; CLIP's two
// files are known by the </w> in the merges.
func Load(path string) (Tokenizer, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("tokenizer: %w", err)
	}
	if !info.IsDir() {
		t, err := loadFile(path)
		if err != nil {
			return nil, fmt.Errorf("tokenizer: %s: %w", path, err)
		}
		return t, nil
	}
	t, err := loadFolder(path)
	if err != nil {
		return nil, fmt.Errorf("tokenizer: %s: %w", path, err)
	}
	return t, nil
}

func read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFileBytes {
		return nil, fmt.Errorf("%s has %d bytes, too many for a tokenizer", path, info.Size())
	}
	return os.ReadFile(path)
}

func loadFile(path string) (Tokenizer, error) {
	data, err := read(path)
	if err != nil {
		return nil, err
	}
	switch {
	case filepath.Ext(path) == ".json" || len(data) > 0 && data[0] == '{':
		return NewBPE(data)
	case bytes.HasPrefix(data, []byte{0x1f, 0x8b}) || bytes.Contains(data[:min(len(data), 4096)], []byte("#version")):
		return NewCLIP(data)
	}
	model, err := NewSentencePiece(data)
	if err != nil {
		return nil, err
	}
	return NewLlama(model), nil
}

func loadFolder(dir string) (Tokenizer, error) {
	has := func(name string) bool {
		_, err := os.Stat(filepath.Join(dir, name))
		return err == nil
	}
	if has("vocab.json") && has("merges.txt") {
		vocab, err := read(filepath.Join(dir, "vocab.json"))
		if err != nil {
			return nil, err
		}
		merges, err := read(filepath.Join(dir, "merges.txt"))
		if err != nil {
			return nil, err
		}
		if bytes.Contains(merges, []byte(wordEnd+"\n")) {
			return NewCLIPFiles(vocab, merges)
		}
		if !has("tokenizer.json") {
			return loadParts(dir, vocab, merges)
		}
	}
	for _, name := range []string{"tokenizer.model", "tokenizer.json", "bpe_simple_vocab_16e6.txt.gz", "bpe_simple_vocab_16e6.txt"} {
		if !has(name) {
			continue
		}
		t, err := loadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		if l, ok := t.(*Llama); ok {
			return l, addFromFile(dir, l)
		}
		return t, nil
	}
	return nil, fmt.Errorf("it holds none of tokenizer.model, tokenizer.json, vocab.json with merges.txt, bpe_simple_vocab_16e6.txt.gz")
}

// loadParts reads GPT-2's and OPT's files; tokenizer_config.json says whether a token goes in front.
func loadParts(dir string, vocab, merges []byte) (Tokenizer, error) {
	var config struct {
		AddBOS         bool            `json:"add_bos_token"`
		AddPrefixSpace bool            `json:"add_prefix_space"`
		BOS            json.RawMessage `json:"bos_token"`
		EOS            json.RawMessage `json:"eos_token"`
		UNK            json.RawMessage `json:"unk_token"`
		PAD            json.RawMessage `json:"pad_token"`
	}
	if data, err := read(filepath.Join(dir, "tokenizer_config.json")); err == nil {
		if err := json.Unmarshal(data, &config); err != nil {
			return nil, fmt.Errorf("tokenizer_config.json: %w", err)
		}
	}
	o := BPEOptions{PrefixSpace: config.AddPrefixSpace, TrimOffsets: false}
	bos := tokenName(config.BOS)
	for _, raw := range []json.RawMessage{config.BOS, config.EOS, config.UNK, config.PAD} {
		if name := tokenName(raw); name != "" {
			o.Added = append(o.Added, AddedToken{ID: -1, Content: name, Special: true})
		}
	}
	if len(o.Added) == 0 && bytes.Contains(vocab, []byte(`"<|endoftext|>"`)) {
		o.Added = []AddedToken{{ID: -1, Content: "<|endoftext|>", Special: true}}
	}
	if config.AddBOS && bos != "" {
		o.Before = []string{bos}
	}
	b, err := NewBPEFiles(vocab, merges, o)
	if err != nil {
		return nil, err
	}
	return b, addFromFile(dir, b)
}

// tokenName reads a special token, written as text or as {"content": text}.
func tokenName(raw json.RawMessage) string {
	var name string
	if json.Unmarshal(raw, &name) == nil {
		return name
	}
	var token struct{ Content string }
	_ = json.Unmarshal(raw, &token)
	return token.Content
}

// addFromFile adds the tokens of added_tokens.json, {token: id}, whose ids must continue the vocabulary.
func addFromFile(dir string, t Tokenizer) error {
	data, err := read(filepath.Join(dir, "added_tokens.json"))
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	var added map[string]int
	if err := json.Unmarshal(data, &added); err != nil {
		return fmt.Errorf("added_tokens.json: %w", err)
	}
	names := make([]string, 0, len(added))
	for name := range added {
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool { return added[names[i]] < added[names[j]] })
	for _, name := range names {
		t.AddSpecial(name)
		if id, _ := t.ID(name); id != added[name] {
			return fmt.Errorf("added_tokens.json gives %q the id %d, the vocabulary's next is %d", name, added[name], id)
		}
	}
	return nil
}

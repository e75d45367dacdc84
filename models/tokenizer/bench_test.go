package tokenizer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkEncode reads the tokenizers and texts of the goldens; MMC4_BENCH_TOKENIZER and MMC4_BENCH_TEXT name other ones
// (a document a line), as bench/peers/tokenizers_peer.py takes them.
func BenchmarkEncode(b *testing.B) {
	shared := os.Getenv("MMC4_SHARED")
	if shared == "" {
		b.Skip("MMC4_SHARED is not set")
	}
	golden := filepath.Join(shared, "golden", "data")
	text, err := os.ReadFile(filepath.Join(shared, "golden", "models", "data", "interleaved", "documents.jsonl"))
	if path := os.Getenv("MMC4_BENCH_TEXT"); path != "" {
		text, err = os.ReadFile(path)
	}
	if err != nil {
		b.Fatal(err)
	}
	documents := strings.Split(string(text), "\n")
	paths := map[string]string{
		"gpt2": filepath.Join(golden, "tok.bpe", "gpt2", "tokenizer.json"),
		"neox": filepath.Join(golden, "tok.bpe", "neox", "tokenizer.json"),
		"spm":  filepath.Join(golden, "tok.spm", "llama", "tokenizer.model"),
		"clip": filepath.Join(golden, "clip.tokens", "simple_tokenizer", "bpe_simple_vocab_16e6.txt.gz"),
	}
	if path := os.Getenv("MMC4_BENCH_TOKENIZER"); path != "" {
		paths = map[string]string{filepath.Base(path): path}
	}
	for name, path := range paths {
		t, err := Load(path)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				for _, d := range documents {
					t.Encode(d)
				}
			}
		})
	}
}

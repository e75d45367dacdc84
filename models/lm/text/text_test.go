package text

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"mmc4/kernels"
	"mmc4/kernels/device"
	"mmc4/models/lm"
	"mmc4/models/tokenizer"
	"mmc4/models/weights"
)

// writeModel writes a model with random weights and a tokenizer of bytes (ids 0..255) and <|endoftext|> (256).
func writeModel(t *testing.T, config map[string]any) string {
	t.Helper()
	dir := t.TempDir()
	put := func(name string, v any) {
		data, err := json.Marshal(v)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	put("config.json", config)
	put("tokenizer.json", byteTokenizer())
	data, _ := json.Marshal(config)
	c, err := lm.ParseConfig(data)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var tensors []weights.Tensor
	for _, w := range lm.Plan(c) {
		v := make([]float32, w.Len())
		for i := range v {
			v[i] = float32(rng.NormFloat64()) / 3
		}
		tensors = append(tensors, weights.FromFloat32(w.Name, v, w.Shape...))
	}
	f, err := os.Create(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(weights.Write(f, tensors, nil), f.Close()); err != nil {
		t.Fatal(err)
	}
	return dir
}

func byteTokenizer() map[string]any {
	vocab, next := map[string]int{}, 256
	for b := range 256 {
		r := rune(b)
		if b < 33 || b > 126 && b < 161 || b == 173 {
			r = rune(next)
			next++
		}
		vocab[string(r)] = b
	}
	return map[string]any{
		"version":       "1.0",
		"added_tokens":  []any{map[string]any{"id": 256, "content": "<|endoftext|>", "special": true, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false}},
		"model":         map[string]any{"type": "BPE", "vocab": vocab, "merges": []any{}},
		"pre_tokenizer": map[string]any{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
		"decoder":       map[string]any{"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true},
	}
}

func gpt2(vocab int) map[string]any {
	return map[string]any{"model_type": "gpt2", "vocab_size": vocab, "n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 64, "bos_token_id": 256, "eos_token_id": 256}
}

func open(t *testing.T, dir string, dtype kernels.DType) *Model {
	t.Helper()
	dev, err := device.Open("ref")
	if err != nil {
		t.Fatal(err)
	}
	m, err := Load(context.Background(), dir, dev, Options{DType: dtype, Check: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close(); dev.Close() })
	return m
}

func TestContinue(t *testing.T) {
	m := open(t, writeModel(t, gpt2(260)), kernels.F32)
	ctx := context.Background()
	choices := map[string]Choice{
		"greedy": {MaxNew: 20}, "drawn": {MaxNew: 20, Temperature: 1.5, Seed: 3}, "top": {MaxNew: 20, TopK: 5, TopP: 0.9, Seed: 3}, "beams": {MaxNew: 10, Beams: 3},
	}
	for name, c := range choices {
		var pieces []string
		r, err := m.Continue(ctx, "hello", c, func(p string) error { pieces = append(pieces, p); return nil })
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if r.PromptTokens != 5 || r.Tokens < 1 || r.Tokens > c.MaxNew || strings.Join(pieces, "") != r.Text || r.Tokens < c.MaxNew && !r.Ended {
			t.Errorf("%s: %+v, pieces %q", name, r, pieces)
		}
		if c.Beams <= 1 && r.Tokens > 2*longest && len(pieces) < 2 {
			t.Errorf("%s: %d tokens came in one piece", name, r.Tokens)
		}
		again, err := m.Continue(ctx, "hello", c, nil)
		if err != nil || again.Text != r.Text || again.Score != r.Score {
			t.Errorf("%s: first %q, then %q, %v", name, r.Text, again.Text, err)
		}
		if (c.Beams > 1) != (r.Score != 0) {
			t.Errorf("%s: score %v", name, r.Score)
		}
	}
	one, _ := m.Continue(ctx, "hello", Choice{MaxNew: 20, Temperature: 1.5, Seed: 4}, nil)
	other, _ := m.Continue(ctx, "hello", choices["drawn"], nil)
	if one.Text == other.Text {
		t.Error("the seed changes nothing")
	}
	topOne, _ := m.Continue(ctx, "hello", Choice{MaxNew: 20, TopK: 1}, nil)
	greedy, _ := m.Continue(ctx, "hello", choices["greedy"], nil)
	if topOne.Text != greedy.Text {
		t.Errorf("top-k 1 gives %q, greedy %q", topOne.Text, greedy.Text)
	}
}

// TestAgainstWhole: greedy decoding with the cache takes the tokens that reading everything anew takes.
func TestAgainstWhole(t *testing.T) {
	m := open(t, writeModel(t, gpt2(260)), kernels.F32)
	r, err := m.Continue(context.Background(), "ab", Choice{MaxNew: 8}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ids := m.Tokens.Encode("ab")
	n := len(ids)
	for len(ids) < n+r.Tokens {
		m.pass.Reset()
		logits, err := m.pass.Float32(m.net.Logits(m.pass, m.net.Hidden(m.pass, lm.Input{IDs: narrow(ids), Rows: 1})))
		if err != nil {
			t.Fatal(err)
		}
		best, at := math.Inf(-1), 0
		for i, v := range logits[len(logits)-m.Config.Vocab:] {
			if float64(v) > best {
				best, at = float64(v), i
			}
		}
		ids = append(ids, at)
	}
	if whole := m.Tokens.DecodePlain(ids[n:]); whole != r.Text {
		t.Errorf("%q, anew %q", r.Text, whole)
	}
}

func TestTypes(t *testing.T) {
	for _, dtype := range []kernels.DType{kernels.BF16, kernels.I8} {
		m := open(t, writeModel(t, map[string]any{"model_type": "llama", "vocab_size": 300, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
			"num_attention_heads": 2, "max_position_embeddings": 64, "bos_token_id": 256, "eos_token_id": 256}), dtype)
		if r, err := m.Continue(context.Background(), "x", Choice{MaxNew: 5}, nil); err != nil || r.Tokens == 0 {
			t.Errorf("%v: %+v, %v", dtype, r, err)
		}
	}
}

func TestEnds(t *testing.T) {
	m := open(t, writeModel(t, gpt2(260)), kernels.F32)
	ctx := context.Background()
	// The model's positions are an end.
	r, err := m.Continue(ctx, strings.Repeat("a", 60), Choice{MaxNew: 50}, nil)
	if err != nil || r.Tokens > 4 {
		t.Errorf("%+v, %v", r, err)
	}
	// An empty prompt begins with BOS.
	if r, err := m.Continue(ctx, "", Choice{MaxNew: 2}, nil); err != nil || r.PromptTokens != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	for name, c := range map[string]struct {
		prompt string
		Choice
	}{
		"too long": {strings.Repeat("a", 64), Choice{MaxNew: 1}}, "no tokens": {"a", Choice{}}, "beams that draw": {"a", Choice{MaxNew: 1, Beams: 2, TopK: 3}},
		"top-p": {"a", Choice{MaxNew: 1, TopP: 1.5}}, "temperature": {"a", Choice{MaxNew: 1, Temperature: math.NaN()}}, "top-k": {"a", Choice{MaxNew: 1, TopK: -1}},
	} {
		if _, err := m.Continue(ctx, c.prompt, c.Choice, nil); !errors.Is(err, ErrUsage) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Whoever reads may stop.
	closed := errors.New("closed")
	n := 0
	if _, err := m.Continue(ctx, "a", Choice{MaxNew: 60, Temperature: 1}, func(string) error { n++; return closed }); !errors.Is(err, closed) || n > 2 {
		t.Errorf("%d pieces after the reader went, %v", n, err)
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := m.Continue(gone, "a", Choice{MaxNew: 60}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	dev, err := device.Open("ref")
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	bad := func(change func(dir string)) error {
		dir := writeModel(t, gpt2(260))
		change(dir)
		m, err := Load(context.Background(), dir, dev, Options{})
		if err == nil {
			m.Close()
		}
		return err
	}
	config := func(vocab int, more map[string]any) func(string) {
		return func(dir string) {
			c := gpt2(vocab)
			for k, v := range more {
				c[k] = v
			}
			data, _ := json.Marshal(c)
			os.WriteFile(filepath.Join(dir, "config.json"), data, 0o644)
		}
	}
	for name, c := range map[string]struct {
		change func(string)
		says   string
	}{
		"fewer rows":    {config(200, map[string]any{"bos_token_id": 1, "eos_token_id": 1}), "do not belong together"},
		"far more rows": {config(5000, nil), "do not belong together"},
		"ends beyond":   {config(260, map[string]any{"eos_token_id": 999}), "eos_token_id"},
		"no config":     {func(dir string) { os.Remove(filepath.Join(dir, "config.json")) }, "fetch-model"},
		"no tokenizer":  {func(dir string) { os.Remove(filepath.Join(dir, "tokenizer.json")) }, "tokenizer"},
		"no weights":    {func(dir string) { os.Remove(filepath.Join(dir, "model.safetensors")) }, "weights"},
		"fewer layers":  {config(260, map[string]any{"n_layer": 1}), "a smaller model than this file"},
		"other width":   {config(260, map[string]any{"n_embd": 32}), "model.safetensors"},
		"broken generation config": {func(dir string) {
			os.WriteFile(filepath.Join(dir, "generation_config.json"), []byte("{"), 0o644)
		}, "generation_config.json"},
	} {
		if err := bad(c.change); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for text, want := range map[string][]int{`{"eos_token_id":[5,6]}`: {5, 6}, `{"eos_token_id":7}`: {7}, `{}`: {256}, `{"eos_token_id":null}`: {256}} {
		dir := writeModel(t, gpt2(260))
		os.WriteFile(filepath.Join(dir, "generation_config.json"), []byte(text), 0o644)
		m, err := Load(context.Background(), dir, dev, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := append([]int{m.Config.EOS}, m.Config.Ends...); !slices.Equal(got, want) {
			t.Errorf("%s: ends with %v, want %v", text, got, want)
		}
		m.Close()
	}
}

// TestStream: pieces are whole characters, and together what all tokens together are.
func TestStream(t *testing.T) {
	dir := t.TempDir()
	data, _ := json.Marshal(byteTokenizer())
	os.WriteFile(filepath.Join(dir, "tokenizer.json"), data, 0o644)
	golden := filepath.Join("..", "..", "..", "testdata", "golden")
	for _, path := range []string{dir, filepath.Join(golden, "tok.bpe", "tokenizer.json"), filepath.Join(golden, "tok.spm", "tokenizer.model")} {
		tokens, err := tokenizer.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{"a plain  sentence with   spaces", "Größe, 中文字, 👩‍👩‍👧 and 🇩🇪!", " lead", "\n\n\tx", "é", strings.Repeat("Wörter,  中 and two. ", 8)} {
			for split := range text {
				if split == 0 {
					continue
				}
				prompt := tokens.EncodePlain(text[:split])
				after := tokens.EncodePlain(text[split:])
				all := append(append([]int(nil), prompt...), after...)
				want, ok := strings.CutPrefix(tokens.DecodePlain(all), tokens.DecodePlain(prompt))
				if !ok {
					continue
				}
				s := newStream(tokens, prompt, nil)
				got := ""
				for _, id := range after {
					piece := s.add(id)
					if !utf8.ValidString(piece) || strings.Contains(piece, "\uFFFD") && !strings.Contains(want, "\uFFFD") {
						t.Errorf("%s: %q | %q: the piece %q", path, text[:split], text[split:], piece)
					}
					got += piece
				}
				if got += s.rest(); got != want {
					t.Errorf("%s: %q | %q: streamed %q, whole %q", path, text[:split], text[split:], got, want)
				}
			}
		}
	}
}

// TestStreamOfNonsense: bytes that are no UTF-8 come out too, and no byte of text twice.
func TestStreamOfNonsense(t *testing.T) {
	dir := t.TempDir()
	data, _ := json.Marshal(byteTokenizer())
	os.WriteFile(filepath.Join(dir, "tokenizer.json"), data, 0o644)
	tokens, err := tokenizer.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(5, 6))
	for round := range 50 {
		s := newStream(tokens, []int{'a'}, []int{256})
		text, letters := "", ""
		for range 200 {
			id := rng.IntN(257)
			if rng.IntN(3) == 0 {
				id = 'a' + rng.IntN(26)
				letters += fmt.Sprintf("%c", id)
			} else if id < 128 {
				id += 128
			}
			text += s.add(id)
		}
		text += s.rest()
		only := strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' {
				return r
			}
			return -1
		}, text)
		if only != letters {
			t.Fatalf("round %d: letters %q, streamed %q", round, letters, only)
		}
	}
}

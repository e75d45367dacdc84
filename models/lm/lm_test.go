package lm

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"mmc4/kernels"
	"mmc4/kernels/device"
	"mmc4/models/lm/params"
	"mmc4/models/weights"
)

// tiny are the five families, with what is special about them.
var tiny = map[string]string{
	"llama":      `{"model_type": "llama", "vocab_size": 61, "hidden_size": 24, "intermediate_size": 20, "num_hidden_layers": 2, "num_attention_heads": 6, "num_key_value_heads": 2}`,
	"llama tied": `{"model_type": "llama", "vocab_size": 61, "hidden_size": 24, "intermediate_size": 20, "num_hidden_layers": 2, "num_attention_heads": 3, "tie_word_embeddings": true, "rope_theta": 500000}`,
	"mpt":        `{"model_type": "mpt", "vocab_size": 61, "d_model": 24, "n_heads": 4, "n_layers": 2, "attn_config": {"softmax_scale": 0.3}}`,
	"mpt odd": `{"architectures": ["MPTForCausalLM"], "model_type": "mpt", "vocab_size": 61, "d_model": 24, "n_heads": 3, "n_layers": 2, "no_bias": false, "logit_scale": "inv_sqrt_d_model",
		"attn_config": {"alibi": true, "qk_ln": true, "clip_qkv": 3}}`,
	"mpt positions": `{"architectures": ["MPTForCausalLM"], "model_type": "mpt", "vocab_size": 61, "d_model": 24, "n_heads": 3, "n_layers": 2, "max_seq_len": 40, "attn_config": {"attn_type": "multiquery_attention"}}`,
	"mpt rms": `{"architectures": ["MPTForCausalLM"], "model_type": "mpt", "vocab_size": 61, "d_model": 24, "n_heads": 3, "n_layers": 2, "no_bias": true, "norm_type": "rmsnorm",
		"attn_config": {"alibi": true, "qk_ln": true, "alibi_bias_max": 4}}`,
	"mosaic":   `{"model_type": "mosaic_gpt", "vocab_size": 61, "d_model": 24, "n_heads": 2, "n_layers": 2, "alibi": true, "attn_qk_ln": true, "no_bias": true, "mlp_ratio": 2}`,
	"neox":     `{"model_type": "gpt_neox", "vocab_size": 61, "hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 2, "num_attention_heads": 3}`,
	"opt":      `{"model_type": "opt", "vocab_size": 61, "hidden_size": 24, "ffn_dim": 40, "num_hidden_layers": 2, "num_attention_heads": 3, "max_position_embeddings": 40}`,
	"opt-350m": `{"model_type": "opt", "vocab_size": 61, "hidden_size": 24, "ffn_dim": 40, "num_hidden_layers": 2, "num_attention_heads": 3, "do_layer_norm_before": false, "word_embed_proj_dim": 12}`,
	"gpt2":     `{"model_type": "gpt2", "vocab_size": 61, "n_embd": 24, "n_head": 3, "n_layer": 2, "n_positions": 40, "scale_attn_by_inverse_layer_idx": true}`,
}

type bench struct {
	dev   kernels.Device
	queue kernels.Queue
	pass  *kernels.Pass
	model *Model
}

func openTiny(t *testing.T, config string, o Options, po kernels.PassOptions) *bench {
	t.Helper()
	c, err := ParseConfig([]byte(config))
	if err != nil {
		t.Fatal(err)
	}
	dev, err := device.Open("auto")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dev.Close() })
	queue, err := dev.NewQueue()
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(dev, queue, nil, c, o)
	if err != nil {
		t.Fatal(err)
	}
	sharpen(t, queue, m)
	return &bench{dev, queue, kernels.NewPass(dev, queue, kernels.NewArena(dev, 0), po), m}
}

// sharpen makes random weights large enough for logits to differ.
func sharpen(t *testing.T, queue kernels.Queue, m *Model) {
	for _, w := range m.Weights {
		if v := w.Param.Value; v.DType != kernels.I8 && v.Rank == 2 {
			queue.Do(&kernels.Add{A: v, B: v, Out: v, Scale: 11})
		}
	}
	if err := queue.Wait(); err != nil {
		t.Fatal(err)
	}
}

// paddedIDs are rows of random ids, the second and third padded on the left.
func paddedIDs(rows, length, vocab int) ([]int32, []byte) {
	rng := rand.New(rand.NewPCG(1, 7))
	ids, mask := make([]int32, rows*length), make([]byte, rows*length)
	for i := range ids {
		ids[i], mask[i] = int32(3+rng.IntN(vocab-3)), 1
		if i%length < i/length*2 {
			ids[i], mask[i] = 1, 0
		}
	}
	return ids, mask
}

func close32(a, b []float32, tolerance float64) (float64, bool) {
	worst, scale := 0.0, 1e-9
	for i := range a {
		worst = max(worst, math.Abs(float64(a[i]-b[i])))
		scale = max(scale, math.Abs(float64(b[i])))
	}
	return worst / scale, len(a) == len(b) && worst <= tolerance*scale
}

// Reading a text in pieces gives what reading it at once does, whatever the family.
func TestCacheEqualsForward(t *testing.T) {
	for name, config := range tiny {
		b := openTiny(t, config, Options{}, kernels.PassOptions{})
		const rows, length = 3, 11
		ids, mask := paddedIDs(rows, length, b.model.Config.Vocab)
		whole, err := b.pass.Float32(b.model.Logits(b.pass, b.model.Hidden(b.pass, Input{IDs: ids, Rows: rows, Mask: mask, Counted: true})))
		if err != nil {
			t.Fatal(name, err)
		}
		cache, err := b.model.NewCache(b.dev, rows, length, kernels.F32)
		if err != nil {
			t.Fatal(err)
		}
		vocab := b.model.Config.Vocab
		for at := 0; at < length; {
			n := min(length-at, []int{6, 1, 3}[at%3])
			in := Input{Rows: rows, Cache: cache, Counted: true}
			for row := range rows {
				in.IDs = append(in.IDs, ids[row*length+at:row*length+at+n]...)
				in.Mask = append(in.Mask, mask[row*length:row*length+at+n]...)
			}
			b.pass.Reset()
			got, err := b.pass.Float32(b.model.Logits(b.pass, b.model.Hidden(b.pass, in)))
			if err != nil {
				t.Fatal(name, err)
			}
			for row := range rows {
				for j := range n {
					if mask[row*length+at+j] == 0 {
						continue
					}
					from, to := (row*n+j)*vocab, (row*length+at+j)*vocab
					if off, ok := close32(got[from:from+vocab], whole[to:to+vocab], 1e-4); !ok {
						t.Errorf("%s: token %d of row %d is off by %g", name, at+j, row, off)
					}
				}
			}
			at += n
		}
		if cache.Len() != length {
			t.Errorf("%s: the cache holds %d tokens", name, cache.Len())
		}
		cache.Free()
	}
}

// naive continues every row alone, from the start each time, without padding.
func naive(t *testing.T, b *bench, ids []int32, o Decoding) []int32 {
	var out []int32
	for range o.MaxNew {
		b.pass.Reset()
		all := append(append([]int32(nil), ids...), out...)
		logits, err := b.pass.Float32(b.model.Logits(b.pass, b.model.Hidden(b.pass, Input{IDs: all, Rows: 1})))
		if err != nil {
			t.Fatal(err)
		}
		last := logits[len(logits)-b.model.Config.Vocab:]
		best := 0
		for i, v := range last {
			if v > last[best] {
				best = i
			}
		}
		out = append(out, int32(best))
		if best == o.EOS || slices.Contains(o.Ends, best) {
			break
		}
	}
	return out
}

// A padded batch gives every row what it gives alone.
func TestGreedyEqualsNaive(t *testing.T) {
	for name, config := range tiny {
		b := openTiny(t, config, Options{}, kernels.PassOptions{})
		if err := b.model.Freeze(b.dev, b.queue, false); err != nil {
			t.Fatal(err)
		}
		const rows, length = 3, 7
		ids, mask := paddedIDs(rows, length, b.model.Config.Vocab)
		o := Decoding{MaxNew: 9, EOS: 5, Ends: []int{11, 3}}
		got, err := b.model.Generate(context.Background(), b.pass, Prompt{IDs: ids, Rows: rows, Mask: mask}, o)
		if err != nil {
			t.Fatal(name, err)
		}
		for row := range rows {
			want := naive(t, b, ids[row*length+2*row:(row+1)*length], o)
			if !reflect.DeepEqual(got[row].Tokens, want) {
				t.Errorf("%s: row %d: %v, want %v", name, row, got[row].Tokens, want)
			}
			if ended := slices.Contains([]int32{5, 11, 3}, want[len(want)-1]); got[row].Ended != ended {
				t.Errorf("%s: row %d: ended %v", name, row, got[row].Ended)
			}
		}
		one, err := b.model.Generate(context.Background(), b.pass, Prompt{IDs: ids, Rows: rows, Mask: mask}, Decoding{MaxNew: 9, EOS: 5, Ends: o.Ends, Sample: &Sampling{TopK: 1}})
		if err != nil || !reflect.DeepEqual(one, got) {
			t.Errorf("%s: the best of one differs from greedy: %v %v", name, one, err)
		}
	}
}

// With as many beams as tokens, two steps of beam search are an exhaustive search.
func TestBeamsAreExhaustive(t *testing.T) {
	b := openTiny(t, strings.Replace(tiny["neox"], "61", "13", 1), Options{}, kernels.PassOptions{})
	ids, mask := paddedIDs(2, 5, 13)
	got, err := b.model.Generate(context.Background(), b.pass, Prompt{IDs: ids, Rows: 2, Mask: mask}, Decoding{MaxNew: 2, EOS: -1, Beams: 13})
	if err != nil {
		t.Fatal(err)
	}
	for row := range 2 {
		best, tokens := math.Inf(-1), []int32(nil)
		for first := range int32(13) {
			for second := range int32(13) {
				text := append(append([]int32(nil), ids[row*5+2*row:(row+1)*5]...), first)
				b.pass.Reset()
				logp, err := b.pass.Float32(b.pass.LogSoftmax(b.model.Logits(b.pass, b.model.Hidden(b.pass, Input{IDs: text, Rows: 1}))))
				if err != nil {
					t.Fatal(err)
				}
				n := len(text)
				if sum := float64(logp[(n-2)*13+int(first)]) + float64(logp[(n-1)*13+int(second)]); sum > best {
					best, tokens = sum, []int32{first, second}
				}
			}
		}
		if !reflect.DeepEqual(got[row].Tokens, tokens) || math.Abs(got[row].Score-best) > 1e-4 {
			t.Errorf("row %d: %v %v, want %v %v", row, got[row].Tokens, got[row].Score, tokens, best)
		}
	}
}

func TestHypotheses(t *testing.T) {
	h := &hypotheses{worst: 1e9}
	for i, score := range []float64{-3, -1, -2, -1, -5} {
		h.add(hypothesis{score: score, tokens: []int32{int32(i)}}, 2)
	}
	if len(h.kept) != 2 || h.worst != -1 || h.best().tokens[0] != 3 {
		t.Errorf("%+v", h)
	}
	d := &decoder{o: Decoding{LengthPenalty: -2}}
	if got := d.score(-3, 10); got != -300 {
		t.Errorf("penalty -2: %v", got)
	}
}

func TestSampling(t *testing.T) {
	logits := []float32{1, 3, 2, -1}
	p := make([]float64, 4)
	total := 0.0
	for i, v := range logits {
		p[i] = math.Exp(float64(v) / 2)
		total += p[i]
	}
	seen := map[int32]float64{}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		id, err := Sampling{Temperature: 2}.draw(logits, rng.Float64())
		if err != nil {
			t.Fatal(err)
		}
		seen[id]++
	}
	for i := range p {
		if math.Abs(seen[int32(i)]/20000-p[i]/total) > 0.015 {
			t.Errorf("token %d was drawn %v of the time, not %v", i, seen[int32(i)]/20000, p[i]/total)
		}
	}
	for _, c := range []struct {
		o    Sampling
		at   float64
		want int32
	}{{Sampling{TopK: 2}, 0.999, 2}, {Sampling{TopP: 0.5}, 0.999, 1}, {Sampling{TopP: 0.85}, 0.999, 2}, {Sampling{}, 0, 1}, {Sampling{TopK: 99}, 0.9999999, 3}} {
		if got, _ := c.o.draw(logits, c.at); got != c.want {
			t.Errorf("%+v at %v: %d, want %d", c.o, c.at, got, c.want)
		}
	}
	if _, err := (Sampling{}).draw([]float32{1, float32(math.NaN())}, 0.5); err == nil {
		t.Error("NaN was drawn from")
	}
}

// Checkpointed blocks change memory, not gradients; bf16 and int8 stay close.
func TestTrainingModes(t *testing.T) {
	for name, config := range tiny {
		var grads [][]float32
		for _, po := range []kernels.PassOptions{{Grad: true}, {Grad: true, Checkpoint: true}} {
			b := openTiny(t, config, Options{Seed: 3}, po)
			if err := params.Train(b.dev, b.queue, false, b.model.Weights...); err != nil {
				t.Fatal(err)
			}
			ids, mask := paddedIDs(3, 9, b.model.Config.Vocab)
			labels := append([]int32(nil), ids...)
			labels[4] = NoLabel
			loss, count := b.model.Loss(b.pass, b.model.Hidden(b.pass, Input{IDs: ids, Rows: 3, Mask: mask}), labels)
			b.pass.Backward(loss, 1)
			var all []float32
			for _, w := range b.model.Weights {
				g, err := w.Grads(b.pass)
				if err != nil {
					t.Fatal(name, err)
				}
				all = append(all, g...)
			}
			if n, err := b.pass.Float32(count); err != nil || n[0] != 3*8-1 {
				t.Errorf("%s: %v labels (%v)", name, n, err)
			}
			grads = append(grads, all)
		}
		if off, ok := close32(grads[1], grads[0], 1e-5); !ok {
			t.Errorf("%s: gradients of checkpointed blocks are off by %g", name, off)
		}
	}
}

func TestPrecisions(t *testing.T) {
	for name, config := range tiny {
		var want []float32
		for _, c := range []struct {
			o      Options
			dtype  kernels.DType
			freeze bool
			limit  float64
		}{{Options{}, kernels.F32, false, 0}, {Options{}, kernels.F32, true, 1e-5}, {Options{DType: kernels.BF16}, kernels.BF16, true, 0.1}, {Options{DType: kernels.I8}, kernels.F32, true, 0.2}} {
			cfg, _ := ParseConfig([]byte(config))
			dev, _ := device.Open("auto")
			queue, _ := dev.NewQueue()
			m, err := New(dev, queue, nil, cfg, c.o)
			if err != nil {
				t.Fatal(name, err)
			}
			if c.freeze {
				if err := m.Freeze(dev, queue, false); err != nil {
					t.Fatal(name, err)
				}
			}
			pass := kernels.NewPass(dev, queue, kernels.NewArena(dev, 0), kernels.PassOptions{DType: c.dtype})
			ids, mask := paddedIDs(2, 8, cfg.Vocab)
			got, err := pass.Float32(m.Logits(pass, m.Hidden(pass, Input{IDs: ids[8:], Rows: 1, Mask: mask[8:]})))
			if err != nil {
				t.Fatal(name, err)
			}
			got = got[2*cfg.Vocab:]
			if want == nil {
				want = got
			} else if off, ok := close32(got, want, c.limit); !ok {
				t.Errorf("%s %+v: off by %g", name, c.o, off)
			}
			dev.Close()
		}
	}
}

func TestSaysWhatIsWrong(t *testing.T) {
	b := openTiny(t, tiny["opt"], Options{}, kernels.PassOptions{})
	for says, in := range map[string]Input{
		"do not make 2 rows":           {IDs: []int32{1, 2, 3}, Rows: 2},
		"a mask of 2 for 1 rows of 3":  {IDs: []int32{1, 2, 3}, Rows: 1, Mask: []byte{1, 1}},
		"has the id 61":                {IDs: []int32{1, 61, 3}, Rows: 1},
		"longer than the 40 positions": {IDs: make([]int32, 41), Rows: 1},
	} {
		b.pass.Reset()
		b.model.Logits(b.pass, b.model.Hidden(b.pass, in))
		if err := b.pass.Wait(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
	b.pass.Reset()
	cache, err := b.model.NewCache(b.dev, 1, 2, kernels.F32)
	if err != nil {
		t.Fatal(err)
	}
	b.model.Hidden(b.pass, Input{IDs: []int32{1, 2, 3}, Rows: 1, Cache: cache})
	if err := b.pass.Wait(); err == nil || !strings.Contains(err.Error(), "do not fit 1 rows of 2") {
		t.Error(err)
	}
	for _, o := range []Decoding{{}, {MaxNew: 1, Beams: 2, Sample: &Sampling{}}} {
		if _, err := b.model.Generate(context.Background(), b.pass, Prompt{IDs: []int32{1}, Rows: 1}, o); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := b.model.Generate(cancelled, b.pass, Prompt{IDs: []int32{7}, Rows: 1}, Decoding{MaxNew: 8, EOS: -1}); err == nil {
		t.Error("a cancelled run went on")
	}
}

// saveTiny writes a model's weights under a prefix and opens them again.
func saveTiny(t *testing.T, b *bench, rename func(string) string) *weights.File {
	t.Helper()
	var list []weights.Tensor
	for _, w := range b.model.Weights {
		tensor, err := w.Tensor(b.pass, "")
		if err != nil {
			t.Fatal(err)
		}
		if tensor.Name = rename(tensor.Name); tensor.Name != "" {
			list = append(list, tensor)
		}
	}
	var file bytes.Buffer
	if err := weights.Write(&file, list, nil); err != nil {
		t.Fatal(err)
	}
	f, err := weights.OpenReaderAt(bytes.NewReader(file.Bytes()), int64(file.Len()), "tiny.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Files of other programs: prefixes, bare models, wrapped layers, other vocabularies; and what is missing.
func TestFiles(t *testing.T) {
	for name, config := range tiny {
		b := openTiny(t, config, Options{Seed: 1}, kernels.PassOptions{})
		c := b.model.Config
		ids, _ := paddedIDs(1, 6, c.Vocab)
		logits := func(m *Model) []float32 {
			b.pass.Reset()
			v, err := b.pass.Float32(m.Logits(b.pass, m.Hidden(b.pass, Input{IDs: ids, Rows: 1})))
			if err != nil {
				t.Fatal(name, err)
			}
			return v
		}
		want := logits(b.model)
		base := c.names().base
		layer0 := c.LayerName(0)
		for form, rename := range map[string]func(string) string{
			"as it is":      func(n string) string { return n },
			"prefixed":      func(n string) string { return "module.lang_encoder." + n },
			"bare":          func(n string) string { return strings.TrimPrefix(n, base) },
			"open_flamingo": func(n string) string { return "lang_encoder." + strings.Replace(n, layer0, layer0+"decoder_layer.", 1) },
		} {
			m, err := New(b.dev, b.queue, Files(c, saveTiny(t, b, rename)), c, Options{})
			if err != nil {
				t.Errorf("%s %s: %v", name, form, err)
				continue
			}
			if off, ok := close32(logits(m), want, 0); !ok {
				t.Errorf("%s %s: off by %g", name, form, off)
			}
		}
		grown := c
		grown.Vocab = c.Vocab + 2
		same := func(n string) string { return n }
		if _, err := New(b.dev, b.queue, Files(c, saveTiny(t, b, same)), grown, Options{}); err == nil || !strings.Contains(err.Error(), "has shape") {
			t.Errorf("%s: another vocabulary: %v", name, err)
		}
		m, err := New(b.dev, b.queue, Files(c, saveTiny(t, b, same)), grown, Options{Resize: true})
		if err != nil || len(m.Notes) == 0 || len(m.Grown) == 0 {
			t.Errorf("%s: a grown vocabulary: %v", name, err)
			continue
		}
		larger := logits(m)
		for i := range ids {
			if off, ok := close32(larger[i*grown.Vocab:i*grown.Vocab+c.Vocab], want[i*c.Vocab:(i+1)*c.Vocab], 1e-6); !ok {
				t.Errorf("%s: a grown vocabulary: off by %g", name, off)
			}
		}
		lost := c.names().lastNorm + ".weight"
		if c.LastNorm {
			_, err = New(b.dev, b.queue, Files(c, saveTiny(t, b, func(n string) string { return strings.Replace(n, lost, "", 1) })), c, Options{})
			if err == nil || !strings.Contains(err.Error(), lost) {
				t.Errorf("%s: without a norm: %v", name, err)
			}
		}
		if got, want := params.Count(Plan(c)), params.Count(b.model.Weights); got != want {
			t.Errorf("%s: a plan of %d parameters, a model of %d", name, got, want)
		}
	}
}

func TestMaskEmbedding(t *testing.T) {
	b := openTiny(t, tiny["gpt2"], Options{}, kernels.PassOptions{Grad: true})
	if err := params.Train(b.dev, b.queue, false, b.model.Weights...); err != nil {
		t.Fatal(err)
	}
	ids, _ := paddedIDs(1, 9, 61)
	loss, _ := b.model.Loss(b.pass, b.model.Hidden(b.pass, Input{IDs: ids, Rows: 1}), ids)
	b.pass.Backward(loss, 1)
	w := b.model.Weight(b.model.Config.EmbedName())
	before, err := w.Grads(b.pass)
	if err != nil {
		t.Fatal(err)
	}
	b.model.MaskEmbedding(b.queue, 60, 7, 99)
	after, err := w.Grads(b.pass)
	if err != nil {
		t.Fatal(err)
	}
	for i := range after {
		want := float32(0)
		if row := i / 24; row == 7 || row == 60 {
			want = before[i]
		}
		if after[i] != want {
			t.Fatalf("row %d: %v, want %v", i/24, after[i], want)
		}
	}
}

func TestSlopes(t *testing.T) {
	if got := fmt.Sprint(Slopes(4, 8)); got != "[0.25 0.0625 0.015625 0.00390625]" {
		t.Error(got)
	}
	if got := fmt.Sprint(Slopes(3, 8)); got != "[0.0625 0.00390625 0.25]" {
		t.Error(got)
	}
}

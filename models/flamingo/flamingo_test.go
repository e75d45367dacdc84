package flamingo

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"mmc4/kernels"
	"mmc4/kernels/device"
	"mmc4/models/lm"
	"mmc4/models/lm/params"
	"mmc4/models/weights"
)

const (
	tinyVision = `{"embed_dim": 8, "quick_gelu": true, "vision_cfg": {"layers": 1, "width": 16, "head_width": 8, "patch_size": 4, "image_size": 8}}`
	tinySizes  = `"perceiver": {"depth": 2, "heads": 2, "dim_head": 8, "num_latents": 3%s}, "xattn": {"heads": 2, "dim_head": 8, "ff_mult": 2, "act": "sqrelu"},
		"media_token_id": 58, "eoc_token_id": 59, "pad_token_id": 60`
)

var tinyText = map[string]string{
	"llama": `{"model_type": "llama", "vocab_size": 61, "hidden_size": 24, "intermediate_size": 20, "num_hidden_layers": 4, "num_attention_heads": 6, "num_key_value_heads": 2}`,
	"mpt":   `{"model_type": "mpt", "vocab_size": 61, "d_model": 24, "n_heads": 4, "n_layers": 3}`,
	"neox":  `{"model_type": "gpt_neox", "vocab_size": 61, "hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 2, "num_attention_heads": 3}`,
	"opt":   `{"model_type": "opt", "vocab_size": 61, "hidden_size": 24, "ffn_dim": 40, "num_hidden_layers": 2, "num_attention_heads": 3, "max_position_embeddings": 60}`,
	"gpt2":  `{"model_type": "gpt2", "vocab_size": 61, "n_embd": 24, "n_head": 3, "n_layer": 2, "n_positions": 60}`,
}

func tinyConfig(t *testing.T, text, more, perceiver string) Config {
	t.Helper()
	c, err := ParseConfig([]byte(`{"vision": ` + tinyVision + `, "lm": ` + tinyText[text] + `, ` + fmt.Sprintf(tinySizes, perceiver) + more + `}`))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

type bench struct {
	dev   kernels.Device
	queue kernels.Queue
	pass  *kernels.Pass
	model *Model
}

// open makes a model with random weights and open gates. It has no tower: images come as tokens.
func open(t *testing.T, c Config, o Options, po kernels.PassOptions) *bench {
	t.Helper()
	dev, err := device.Open("auto")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dev.Close() })
	queue, err := dev.NewQueue()
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(dev, queue, c, Sources{}, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range append(append([]*params.Weight(nil), m.Gated...), m.text...) {
		v := w.Param.Value
		switch {
		case strings.HasSuffix(w.Name, "_gate"):
			queue.Do(&kernels.Fill{Dst: v, Value: 0.7})
		case o.Train && w.Name == c.LM.EmbedName(): // rows of it may be trained, which are copies
		case v.Rank == 2 && w.Param.Value.DType == kernels.F32 && !strings.Contains(w.Name, "gated"):
			queue.Do(&kernels.Add{A: v, B: v, Out: v, Scale: 9})
		}
	}
	return &bench{dev, queue, kernels.NewPass(dev, queue, kernels.NewArena(dev, 0), po), m}
}

// images are random tokens [n, frames*4, 16].
func (b *bench) images(n, frames int) kernels.Tensor {
	rng := rand.New(rand.NewPCG(5, 6))
	values := make([]float32, n*frames*4*16)
	for i := range values {
		values[i] = float32(rng.NormFloat64())
	}
	return b.pass.FromFloat32(values, n, frames*4, 16)
}

// prompt is three rows, padded on the left, with 2, 1 and 0 images.
func prompt() lm.Prompt {
	const m, x = 58, 60
	ids := []int32{
		m, 5, 6, 59, m, 7, 8, 9,
		x, x, 11, m, 12, 13, 14, 15,
		x, x, x, 21, 22, 23, 24, 25,
	}
	mask := make([]byte, len(ids))
	for i, id := range ids {
		if id != x {
			mask[i] = 1
		}
	}
	return lm.Prompt{IDs: ids, Rows: 3, Mask: mask}
}

func (b *bench) floats(t *testing.T, x kernels.Tensor) []float32 {
	t.Helper()
	v, err := b.pass.Float32(x)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func off(a, b []float32) float64 {
	worst, scale := 0.0, 1e-9
	for i := range a {
		worst = max(worst, math.Abs(float64(a[i]-b[i])))
		scale = max(scale, math.Abs(float64(b[i])))
	}
	if len(a) != len(b) {
		return math.Inf(1)
	}
	return worst / scale
}

var slots = []int32{0, 1, 2, -1, -1, -1}

// What decoding with caches gives is what whole forward passes give, row by row.
func TestGenerateEqualsForward(t *testing.T) {
	for name := range tinyText {
		b := open(t, tinyConfig(t, name, `, "cross_attn_every_n_layers": 2`, ""), Options{}, kernels.PassOptions{})
		p := prompt()
		media := b.model.Resample(b.pass, b.images(3, 1), 1, 3, slots)
		out, err := b.model.Generate(context.Background(), b.pass, p, media, Decoding{Decoding: lm.Decoding{MaxNew: 6, EOS: 59, Pad: 60}})
		if err != nil {
			t.Fatal(name, err)
		}
		for row := range 3 {
			pad := row + row/2 // row 1 has 2 of padding, row 2 has 3
			if row == 1 {
				pad = 2
			}
			text := append([]int32(nil), p.IDs[row*8+pad:(row+1)*8]...)
			for step, got := range out[row].Tokens {
				b.pass.Reset()
				media := b.model.Resample(b.pass, b.images(3, 1), 1, 1, slots[2*row:2*row+2])
				times := TextTimes(text, 1, 58)
				for i := 8 - pad; i < len(times); i++ { // generated markers show nothing new
					times[i] = times[8-pad-1]
				}
				logits := b.floats(t, b.model.Logits(b.pass, b.model.Hidden(b.pass, lm.Input{IDs: text, Rows: 1}, media, times)))
				last := logits[len(logits)-61:]
				best := int32(0)
				for i, v := range last {
					if v > last[best] {
						best = int32(i)
					}
				}
				if got != best {
					t.Errorf("%s: row %d step %d: %d, want %d", name, row, step, got, best)
					break
				}
				text = append(text, best)
			}
		}
	}
}

// Scoring candidates behind a cached prompt gives what whole passes give, padded or not.
func TestRankEqualsFull(t *testing.T) {
	candidates := [][]int32{{4}, {5, 6, 7}, {8, 9}, {5, 6}}
	for name := range tinyText {
		b := open(t, tinyConfig(t, name, "", ""), Options{}, kernels.PassOptions{})
		see := func() *Media { return b.model.Resample(b.pass, b.images(3, 1), 1, 3, slots) }
		for _, o := range []Ranking{{}, {Mean: true}} {
			b.pass.Reset()
			fast, err := b.model.Rank(context.Background(), b.pass, prompt(), see(), candidates, o)
			if err != nil {
				t.Fatal(name, err)
			}
			slow, err := b.model.RankFull(context.Background(), b.pass, prompt(), see, candidates, o)
			if err != nil {
				t.Fatal(name, err)
			}
			for row := range fast {
				for j := range candidates {
					if math.Abs(fast[row][j]-slow[row][j]) > 1e-3*math.Abs(slow[row][j]) {
						t.Errorf("%s %+v: row %d candidate %d: %v, want %v", name, o, row, j, fast[row][j], slow[row][j])
					}
				}
			}
		}
		if _, err := b.model.Rank(context.Background(), b.pass, prompt(), see(), [][]int32{{}}, Ranking{}); err == nil {
			t.Error("an empty candidate was scored")
		}
	}
}

// Text sees the image of its own marker and no other; before a marker, none.
func TestTextSeesItsImage(t *testing.T) {
	for _, previous := range []bool{false, true} {
		b := open(t, tinyConfig(t, "llama", fmt.Sprintf(`, "attend_previous": %v, "placement": "first"`, previous), ""), Options{}, kernels.PassOptions{})
		ids, blind := []int32{5, 58, 6, 58, 7, 8}, 1
		if previous { // what stands before any marker looks at all images alike, as in the references
			ids, blind = ids[1:], 0
		}
		run := func(slots ...int32) []float32 {
			b.pass.Reset()
			media := b.model.Resample(b.pass, b.images(4, 1), 1, 1, slots)
			return b.floats(t, b.model.Hidden(b.pass, lm.Input{IDs: ids, Rows: 1}, media, nil))
		}
		base, second, first := run(0, 1), run(0, 2), run(3, 1)
		from, to := blind*24, (blind+2)*24 // of the first image's tokens
		if off(base[:to], second[:to]) != 0 || off(base[to:], second[to:]) == 0 {
			t.Error("the second image shows where it should not, or not where it should")
		}
		if off(base[from:to], first[from:to]) == 0 || off(base[:from], first[:from]) != 0 {
			t.Error("the first image shows where it should not, or not where it should")
		}
	}
}

// An empty slot, and an image that stands in two slots.
func TestSlots(t *testing.T) {
	for _, perceiver := range []string{"", `, "max_num_media": 4`} {
		b := open(t, tinyConfig(t, "mpt", "", perceiver), Options{}, kernels.PassOptions{})
		latents := b.model.Resample(b.pass, b.images(2, 1), 1, 2, []int32{1, 0, 1, -1}).Latents
		got := b.floats(t, latents)
		each := 3 * 16
		same := off(got[:each], got[2*each:3*each]) // image 1 in slot 0 of both rows
		if same != 0 {
			t.Errorf("%q: one image, two sets of latents: %g", perceiver, same)
		}
		b.pass.Reset()
		alone := b.floats(t, b.model.Resample(b.pass, b.images(2, 1), 1, 1, []int32{0, 1}).Latents)
		moved := off(got[:each], alone[each:]) // image 1 in slot 0 and in slot 1
		if bySlot := perceiver != ""; (moved > 1e-6) != bySlot {
			t.Errorf("%q: the slot matters: %v", perceiver, moved)
		}
		b.pass.Reset()
		if none := b.model.Resample(b.pass, kernels.Tensor{}, 1, 2, []int32{-1, -1}); none.Slots != 0 {
			t.Error("media without images")
		}
		x := b.floats(t, b.model.Hidden(b.pass, lm.Input{IDs: []int32{58, 3, 4, 5}, Rows: 2}, &Media{Rows: 2}, nil))
		for _, v := range x {
			if v != v {
				t.Fatal("no images: NaN")
			}
		}
		for _, bad := range [][]int32{{2, 0}, {0, 1, 0}, {-2, 0}} {
			b.pass.Reset()
			b.model.Resample(b.pass, b.images(2, 1), 1, 2, bad)
			if b.pass.Err() == nil {
				t.Errorf("slots %v were accepted", bad)
			}
		}
	}
}

// Frames of an image are told apart by their embeddings alone.
func TestFrames(t *testing.T) {
	for _, perceiver := range []string{"", `, "max_num_frames": 3`} {
		b := open(t, tinyConfig(t, "opt", "", perceiver), Options{}, kernels.PassOptions{})
		x := b.images(1, 2)
		a := b.floats(t, b.model.Perceiver.Apply(b.pass, x, 2, nil))
		turned := b.pass.Concat(1, x.Slice(1, 4, 8), x.Slice(1, 0, 4))
		z := b.floats(t, b.model.Perceiver.Apply(b.pass, turned, 2, nil))
		if ordered := perceiver != ""; (off(z, a) > 1e-5) != ordered {
			t.Errorf("%q: the order of frames: %g", perceiver, off(z, a))
		}
		b.model.Perceiver.Apply(b.pass, b.images(1, 4), 4, nil)
		if err := b.pass.Err(); (err != nil) != (perceiver != "") {
			t.Errorf("%q: four frames: %v", perceiver, err)
		}
	}
}

// Checkpointed blocks give the same gradients, and an empty slot none.
func TestGradients(t *testing.T) {
	var grads [2][]float32
	for i, checkpoint := range []bool{false, true} {
		b := open(t, tinyConfig(t, "neox", "", `, "max_num_frames": 2`), Options{Train: true}, kernels.PassOptions{Grad: true, Checkpoint: checkpoint})
		if err := b.model.Freeze(b.dev, b.queue, true); err != nil {
			t.Fatal(err)
		}
		p := prompt()
		media := b.model.Resample(b.pass, b.images(3, 2), 2, 3, slots)
		loss, _ := b.model.Loss(b.pass, b.model.Hidden(b.pass, lm.Input{IDs: p.IDs, Rows: 3, Mask: p.Mask}, media, nil), p.IDs)
		b.pass.Backward(loss, 1)
		b.model.MaskEmbedding(b.queue)
		for _, w := range b.model.Trained() {
			g, err := w.Grads(b.pass)
			if err != nil {
				t.Fatal(err)
			}
			grads[i] = append(grads[i], g...)
			moved := false
			for j, v := range g {
				moved = moved || v != 0
				if row := j / 24; v != 0 && strings.Contains(w.Name, "embed_in") && row != 58 && row != 59 {
					t.Fatalf("row %d of the embedding has a gradient", row)
				}
			}
			if !moved {
				t.Errorf("%s gets no gradient", w.Name)
			}
		}
		if i == 0 {
			want := len(b.model.Trained())
			if n := len(open(t, tinyConfig(t, "neox", "", ""), Options{Train: true, FreezeEmbedding: true}, kernels.PassOptions{}).model.Trained()); n != want-2 {
				t.Errorf("%d trained weights with a frozen embedding, %d without", n, want)
			}
		}
	}
	if d := off(grads[1], grads[0]); d > 1e-5 {
		t.Errorf("checkpointing: off by %g", d)
	}
}

// What is saved can be loaded, by this program's names, a trainer's and open_flamingo 1.x's.
func TestCheckpoints(t *testing.T) {
	for _, name := range []string{"llama", "mpt", "opt"} {
		c := tinyConfig(t, name, "", "")
		b := open(t, c, Options{Train: true, Seed: 4}, kernels.PassOptions{})
		var saved bytes.Buffer
		if err := b.model.Save(b.pass, &saved, map[string]string{"step": "7"}); err != nil {
			t.Fatal(err)
		}
		original, err := weights.OpenReaderAt(bytes.NewReader(saved.Bytes()), int64(saved.Len()), "saved")
		if err != nil {
			t.Fatal(err)
		}
		layer := "lang_encoder." + c.LM.LayerName(1) + "gated_cross_attn_layer."
		for form, rename := range map[string]func(string) string{
			"as it is": func(n string) string { return n },
			"trainer":  func(n string) string { return "module." + n },
			"1.x":      func(n string) string { return strings.Replace(n, layer, "lang_encoder.gated_cross_attn_layers.1.", 1) },
		} {
			var list []weights.Tensor
			for _, n := range original.Names() {
				tensor, err := original.Tensor(n)
				if err != nil {
					t.Fatal(err)
				}
				tensor.Name = rename(n)
				list = append(list, tensor)
			}
			path := filepath.Join(t.TempDir(), "checkpoint.safetensors")
			f, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := weights.Write(f, list, nil); err != nil {
				t.Fatal(err)
			}
			f.Close()
			checkpoint, err := OpenCheckpoint(context.Background(), path)
			if err != nil {
				t.Fatal(err)
			}
			m, err := New(b.dev, b.queue, c, Sources{Flamingo: checkpoint.File}, Options{Train: true})
			if err != nil {
				t.Errorf("%s %s: %v", name, form, err)
				continue
			}
			for i, w := range m.Trained() {
				got, err := w.Values(b.pass)
				if err != nil {
					t.Fatal(err)
				}
				want, err := b.model.Trained()[i].Values(b.pass)
				if err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(got, want) {
					t.Errorf("%s %s: %s differs", name, form, w.Name)
				}
			}
			if rest := checkpoint.Unused(m); rest != nil {
				t.Errorf("%s %s: %q are not read", name, form, rest)
			}
			checkpoint.File.Close()
		}
		other := tinyConfig(t, name, "", `, "ff_mult": 2`)
		if _, err := New(b.dev, b.queue, other, Sources{Flamingo: original}, Options{}); err == nil || !strings.Contains(err.Error(), "has shape") {
			t.Errorf("%s: another config: %v", name, err)
		}
	}
}

// LLaMA's output head grows with the vocabulary: the new rows are in no file, so they are saved.
func TestGrownHeadIsSaved(t *testing.T) {
	small := strings.Replace(tinyText["llama"], "61", "58", 1)
	c, err := lm.ParseConfig([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	dev, err := device.Open("auto")
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	queue, _ := dev.NewQueue()
	base, err := lm.New(dev, queue, nil, c, lm.Options{Seed: 9})
	if err != nil {
		t.Fatal(err)
	}
	pass := kernels.NewPass(dev, queue, kernels.NewArena(dev, 0), kernels.PassOptions{})
	var list []weights.Tensor
	for _, w := range base.Weights {
		tensor, err := w.Tensor(pass, "")
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, tensor)
	}
	var text, saved bytes.Buffer
	if err := weights.Write(&text, list, nil); err != nil {
		t.Fatal(err)
	}
	file, err := weights.OpenReaderAt(bytes.NewReader(text.Bytes()), int64(text.Len()), "llama")
	if err != nil {
		t.Fatal(err)
	}
	config := tinyConfig(t, "llama", "", "")
	first, err := New(dev, queue, config, Sources{LM: file}, Options{Train: true, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Save(pass, &saved, nil); err != nil {
		t.Fatal(err)
	}
	checkpoint, err := weights.OpenReaderAt(bytes.NewReader(saved.Bytes()), int64(saved.Len()), "checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	second, err := New(dev, queue, config, Sources{LM: file, Flamingo: checkpoint}, Options{Train: true, Seed: 2})
	if err != nil {
		t.Fatal(err)
	}
	a, err := first.LM.Weight("lm_head.weight").Values(pass)
	if err != nil {
		t.Fatal(err)
	}
	if z, err := second.LM.Weight("lm_head.weight").Values(pass); err != nil || !reflect.DeepEqual(a, z) {
		t.Errorf("the head's new rows were drawn anew (%v)", err)
	}
	if len(first.LM.Notes) != 2 || len(second.LM.Notes) != 0 {
		t.Errorf("notes %q and %q", first.LM.Notes, second.LM.Notes)
	}
}

func TestPrecisions(t *testing.T) {
	var want []float32
	for _, c := range []struct {
		dtype, pass kernels.DType
		limit       float64
	}{{kernels.F32, kernels.F32, 0}, {kernels.BF16, kernels.BF16, 0.2}, {kernels.I8, kernels.F32, 0.2}} {
		dev, err := device.Open("auto")
		if err != nil {
			t.Fatal(err)
		}
		queue, _ := dev.NewQueue()
		m, err := New(dev, queue, tinyConfig(t, "gpt2", "", ""), Sources{}, Options{DType: c.dtype})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Freeze(dev, queue, false); err != nil {
			t.Fatal(err)
		}
		b := &bench{dev, queue, kernels.NewPass(dev, queue, kernels.NewArena(dev, 0), kernels.PassOptions{DType: c.pass}), m}
		media := m.Resample(b.pass, b.images(2, 1), 1, 1, []int32{0, 1})
		got := b.floats(t, m.Logits(b.pass, m.Hidden(b.pass, lm.Input{IDs: prompt().IDs[:8], Rows: 1}, media, nil)))
		if want == nil {
			want = got
		} else if d := off(got, want); d > c.limit {
			t.Errorf("%v: off by %g", c.dtype, d)
		}
		dev.Close()
	}
}

func TestParseConfig(t *testing.T) {
	c := tinyConfig(t, "opt", `, "cross_attn_every_n_layers": 2`, "")
	if c.HasBlock(0) || !c.HasBlock(1) || c.Perceiver.FFMult != 4 || c.XAttn.Act != kernels.SquaredReLU || c.Tokens() != 4 {
		t.Errorf("%+v", c)
	}
	for change, says := range map[string]string{
		`"media_token_id": 58`:           "",
		`"media_token_id": 61`:           "not in the vocabulary",
		`"placement": "middle"`:          "neither last nor first",
		`"cross_attn_every_n_layers": 0`: "cross_attn_every_n_layers is 0",
		`"perceiver": {"heads": -1}`:     "perceiver heads is -1",
		`"perceiver": {"act": "tanh"}`:   "none of gelu",
		`"lm": {}`:                       "model_type is missing",
	} {
		_, err := ParseConfig([]byte(`{"vision": ` + tinyVision + `, "lm": ` + tinyText["opt"] + `, ` + change + `}`))
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", change, err, says)
		}
	}
}

func FuzzParseConfig(f *testing.F) {
	for _, text := range tinyText {
		f.Add([]byte(`{"vision": ` + tinyVision + `, "lm": ` + text + `, ` + fmt.Sprintf(tinySizes, "") + `}`))
		f.Add([]byte(`{"vision": {"hidden_size": 16}, "lm": ` + text + `, "flamingo": {"dim": 24, "dim_visual": 16, "xattn_act": "sqrelu"}}`))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, err := ParseConfig(data); err == nil && (c.Every < 1 || c.Perceiver.Latents < 1) {
			t.Errorf("%s: %+v", data, c)
		}
		if c, err := ParseMini(data); err == nil && c.EOC != c.LM.Vocab-1 {
			t.Errorf("%s: %+v", data, c)
		}
	})
}

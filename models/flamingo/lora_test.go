package flamingo

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"mmc4/kernels"
	"mmc4/models/lm"
	"mmc4/models/lm/params"
	"mmc4/models/weights"
)

var loraTargets = map[string][]string{
	"opt": {"q_proj", "v_proj", "fc1", "fc2"}, "neox": {"query_key_value", "attention.dense"}, "gpt2": {"c_attn", "c_proj"},
	"llama": {"o_proj", "gate_proj", "up_proj", "down_proj"}, "mpt": {"Wqkv"},
}

// Adapters begin without effect; their gradients are those of finite differences; merged, they give the same loss without
// anybody knowing of them.
func TestLoRA(t *testing.T) {
	for text, targets := range loraTargets {
		t.Run(text, func(t *testing.T) { testLoRA(t, text, targets) })
	}
}

func testLoRA(t *testing.T, text string, targets []string) {
	c := tinyConfig(t, text, "", "")
	loss := func(b *bench) kernels.Tensor {
		b.pass.Reset()
		p := prompt()
		media := b.model.Resample(b.pass, b.images(3, 1), 1, 3, slots)
		x, _ := b.model.Loss(b.pass, b.model.Hidden(b.pass, lm.Input{IDs: p.IDs, Rows: 3, Mask: p.Mask}, media, nil), p.IDs)
		return x
	}
	plain := open(t, c, Options{Train: true, Rows: true}, kernels.PassOptions{Grad: true})
	b := open(t, c, Options{Train: true, Rows: true, LoRA: &lm.LoRA{Rank: 2, Alpha: 3, Targets: targets}}, kernels.PassOptions{Grad: true})
	if got, want := b.floats(t, loss(b)), plain.floats(t, loss(plain)); got[0] != want[0] {
		t.Errorf("the first loss is %v with adapters, %v without", got, want)
	}
	if plan, err := lm.PlanLoRA(c.LM, lm.LoRA{Rank: 2, Alpha: 3, Targets: targets}); err != nil || params.Count(plan) != params.Count(b.model.Adapters) {
		t.Errorf("a plan counts %d, the model has %d (%v)", params.Count(plan), params.Count(b.model.Adapters), err)
	}
	for i, w := range b.model.Adapters { // B is zero: move it, or A has no gradient
		if strings.HasSuffix(w.Name, "lora_B.weight") {
			values := make([]float32, w.Len())
			for j := range values {
				values[j] = float32((i+j*7)%11-5) / 20
			}
			b.queue.Write(w.Param.Value, kernels.EncodeFloats(kernels.F32, values))
		}
	}
	x := loss(b)
	b.pass.Backward(x, 1)
	for _, w := range b.model.Adapters {
		grads, err := w.Grads(b.pass)
		if err != nil {
			t.Fatal(err)
		}
		best := 0
		for j, g := range grads {
			if math.Abs(float64(g)) > math.Abs(float64(grads[best])) {
				best = j
			}
		}
		values, _ := w.Values(b.pass)
		at := func(d float32) float64 {
			moved := append([]float32(nil), values...)
			moved[best] += d
			b.queue.Write(w.Param.Value, kernels.EncodeFloats(kernels.F32, moved))
			return float64(b.floats(t, loss(b))[0])
		}
		const d = 1e-2
		numeric := (at(d) - at(-d)) / (2 * d)
		at(0)
		if g := float64(grads[best]); g == 0 || math.Abs(numeric-g) > 0.03*math.Abs(g)+2e-5 {
			t.Errorf("%s: the gradient is %g, by differences %g", w.Name, g, numeric)
		}
	}
	want := b.floats(t, loss(b))
	var file bytes.Buffer
	if err := b.model.Export(b.pass, &file, nil); err != nil {
		t.Fatal(err)
	}
	f, err := weights.OpenReaderAt(bytes.NewReader(file.Bytes()), int64(file.Len()), "exported")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range f.Names() {
		if strings.Contains(name, "lora") {
			t.Errorf("the export holds %s", name)
		}
	}
	// The language model of the test is random and scaled: the rest of it goes through a file too.
	var rest []weights.Tensor
	for _, w := range b.model.text {
		one, err := w.Tensor(b.pass, "")
		if err != nil {
			t.Fatal(err)
		}
		rest = append(rest, one)
	}
	var base bytes.Buffer
	if err := weights.Write(&base, rest, nil); err != nil {
		t.Fatal(err)
	}
	g, err := weights.OpenReaderAt(bytes.NewReader(base.Bytes()), int64(base.Len()), "base")
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(b.dev, b.queue, c, Sources{LM: g, Flamingo: f}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	b.model = m
	if got := b.floats(t, loss(b)); off(got, want) > 1e-5 {
		t.Errorf("the loss is %v merged, %v with adapters", got, want)
	}
	if _, err := plain.model.LM.AddLoRA(b.dev, b.queue, lm.LoRA{Rank: 2, Alpha: 1, Targets: []string{"nothing"}}, false, 1, nil); err == nil ||
		!strings.Contains(err.Error(), fmt.Sprint(strings.TrimPrefix(targets[0], "attention."))) {
		t.Errorf("an unknown target: %v", err)
	}
}

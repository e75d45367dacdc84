package dedup

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mmc4/models/weights"
)

func saveHead(t *testing.T, tensors ...weights.Tensor) string {
	t.Helper()
	var buf bytes.Buffer
	if err := weights.Write(&buf, tensors, nil); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "head.safetensors")
	if err := os.WriteFile(path, buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestProbe(t *testing.T) {
	path := saveHead(t,
		weights.FromFloat32("linear.weight", []float32{1, -2, 0.5}, 1, 3),
		weights.FromFloat32("linear.bias", []float32{0.25}, 1))
	h, err := LoadHead(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	if h.Layout != LayoutProbe || h.Dim() != 3 {
		t.Fatal(h.Layout, h.Dim())
	}
	got, err := h.Scores([][]float32{{0, 0, 0}, {1, 1, 1}, {3, 0, -2}})
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range []float64{0.25, -0.25, 2.25} {
		if want := float32(1 / (1 + math.Exp(-x))); got[i] != want {
			t.Errorf("score %d: %v, want %v", i, got[i], want)
		}
	}
	if _, err := h.Scores([][]float32{{1, 2}}); err == nil || !strings.Contains(err.Error(), "3") {
		t.Errorf("features of another model: %v", err)
	}
	if none, err := h.Scores(nil); err != nil || len(none) != 0 {
		t.Error(none, err)
	}
}

func TestUnusableHeads(t *testing.T) {
	vector := func(name string, shape ...int) weights.Tensor {
		n := 1
		for _, s := range shape {
			n *= s
		}
		return weights.FromFloat32(name, make([]float32, n), shape...)
	}
	for name, c := range map[string]struct {
		tensors []weights.Tensor
		say     string
	}{
		"another model":  {[]weights.Tensor{vector("visual.proj", 2, 2)}, "not a head"},
		"no bias":        {[]weights.Tensor{vector("linear.weight", 1, 3)}, "linear.bias"},
		"two values":     {[]weights.Tensor{vector("linear.weight", 2, 3), vector("linear.bias", 2)}, "gives 2"},
		"vector weights": {[]weights.Tensor{vector("linear.weight", 3), vector("linear.bias", 1)}, "linear.weight"},
		"sizes do not fit": {[]weights.Tensor{
			vector("dense.weight", 4, 3), vector("dense.bias", 4), vector("dense1.weight", 2, 5), vector("dense1.bias", 2),
			vector("dense2.weight", 2, 2), vector("dense2.bias", 2), vector("dense3.weight", 1, 2), vector("dense3.bias", 1),
		}, "dense1.weight"},
		"no normalisation": {[]weights.Tensor{
			vector("dense.weight", 4, 3), vector("dense.bias", 4), vector("dense1.weight", 2, 4), vector("dense1.bias", 2),
			vector("dense2.weight", 2, 2), vector("dense2.bias", 2), vector("dense3.weight", 1, 2), vector("dense3.bias", 1),
		}, "norm.weight"},
	} {
		path := saveHead(t, c.tensors...)
		_, err := LoadHead(context.Background(), path)
		if err == nil || !strings.Contains(err.Error(), c.say) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := LoadHead(context.Background(), filepath.Join(t.TempDir(), "none.pt")); err == nil {
		t.Error("a missing file was read")
	}
}

package weights

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestSharedCheckpoints reads real files of torch.save and compares every tensor's bytes with what PyTorch stored.
func TestSharedCheckpoints(t *testing.T) {
	shared := os.Getenv("MMC4_SHARED")
	if shared == "" {
		t.Skip("MMC4_SHARED is not set: the reference checkpoints are not there")
	}
	type stored struct {
		Shape  []int  `json:"shape"`
		DType  string `json:"dtype"`
		SHA256 string `json:"sha256"`
	}
	files, _ := filepath.Glob(filepath.Join(shared, "golden", "models", "train", "checkpoint-*", "expected.json"))
	if len(files) == 0 {
		t.Fatal("no checkpoint goldens found")
	}
	for _, expected := range files {
		raw, err := os.ReadFile(expected)
		if err != nil {
			t.Fatal(err)
		}
		var byFile map[string]json.RawMessage
		if err := json.Unmarshal(raw, &byFile); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"checkpoint_0.pt", "published.pt"} {
			var want struct {
				Stored map[string]stored `json:"stored"`
				Loaded map[string]stored `json:"loaded"` // of the flat file the same tensors
				Epoch  *int64            `json:"epoch"`
			}
			if err := json.Unmarshal(byFile[name], &want); err != nil {
				t.Fatal(err)
			}
			if want.Stored == nil {
				want.Stored = want.Loaded
			}
			f, err := Open(context.Background(), filepath.Join(filepath.Dir(expected), name))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if len(want.Stored) == 0 || len(f.Names()) != len(want.Stored) {
				t.Errorf("%s: %d tensors, want %d", f.Path, len(f.Names()), len(want.Stored))
			}
			for tensor, w := range want.Stored {
				got, err := f.Tensor(tensor)
				if err != nil {
					t.Error(err)
					continue
				}
				sum := sha256.Sum256(got.Data)
				if "torch."+w.DType != got.DType.Torch() || !slices.Equal(got.Shape, w.Shape) || hex.EncodeToString(sum[:]) != w.SHA256 {
					t.Errorf("%s: %q: %s %v differs from %s %v", f.Path, tensor, got.DType, got.Shape, w.DType, w.Shape)
				}
			}
			if want.Epoch != nil && f.Value().(*Dict).Get("epoch") != *want.Epoch {
				t.Errorf("%s: epoch %v, want %d", f.Path, f.Value().(*Dict).Get("epoch"), *want.Epoch)
			}
			if err := f.CheckFinite(context.Background()); err != nil {
				t.Error(err)
			}
		}
	}
	pts, _ := filepath.Glob(filepath.Join(shared, "golden", "models", "*", "*", "*.pt"))
	safes, _ := filepath.Glob(filepath.Join(shared, "golden", "models", "*", "*", "*.safetensors"))
	for _, path := range append(pts, safes...) {
		f, err := Open(context.Background(), path)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, name := range f.Names() {
			if _, err := f.Tensor(name); err != nil {
				t.Error(err)
			}
		}
		f.Close()
	}
}

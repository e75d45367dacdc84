package features

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"mmc4/internal/imaging"
	"mmc4/kernels"
	"mmc4/kernels/device"
	"mmc4/models/flamingo/visual"
)

// Every good picture and its mirror picture has the tower's tokens, under the hash of what the tower sees; what is there already
// is not computed again.
func TestTokens(t *testing.T) {
	ctx := context.Background()
	m := openModel(t, "", 3)
	dir, good := photos(t, 7)
	dev, err := device.Open("auto")
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	out := filepath.Join(t.TempDir(), "tokens")
	c := Config{Input: dir, Out: out, Model: m, Batch: 3}
	var bad []Bad
	s, err := Tokens(ctx, c, dev, kernels.F32, Report{Bad: func(b Bad) { bad = append(bad, b) }})
	if err != nil || s.Rows != int64(len(good)) || len(bad) != 2 {
		t.Fatalf("%+v, bad %v, %v", s, bad, err)
	}
	vision := m.Config.Vision
	store, err := visual.Open(ctx, out, visual.Kind{Fingerprint: s.Model, Tokens: vision.Patches(), Width: vision.Width, DType: kernels.F32})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if store.Len() != 2*len(good) {
		t.Errorf("%d pictures are kept, not %d", store.Len(), 2*len(good))
	}
	queue, err := dev.NewQueue()
	if err != nil {
		t.Fatal(err)
	}
	p := kernels.NewPass(dev, queue, kernels.NewArena(dev, 0), kernels.PassOptions{})
	data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(good[2])))
	if err != nil {
		t.Fatal(err)
	}
	picture, err := imaging.Decode(data, imaging.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	square := m.Preprocess.Square(picture.RGB())
	for name, square := range map[string]*imaging.RGB{"as it is": square, "mirrored": mirrored([]*imaging.RGB{square})[0]} {
		kept, err := store.Get(visual.KeyOf(square))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		size := m.Preprocess.Size
		x := p.NormalizePixels(p.FromUint8(square.Pix, 1, size, size, 3), m.Preprocess.Mean, m.Preprocess.Std)
		want, err := p.Float32(m.Vision.Patches(p, x))
		if err != nil {
			t.Fatal(err)
		}
		near(t, name, kernels.DecodeFloats(kernels.F32, kept), want)
	}
	again, err := Tokens(ctx, c, dev, kernels.F32, Report{})
	if files, _ := filepath.Glob(filepath.Join(out, "*")); err != nil || again.Rows != s.Rows || len(files) != 1 {
		t.Errorf("a second time: %+v, %v, files %v", again, err, files)
	}
}

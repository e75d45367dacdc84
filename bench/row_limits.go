package bench

// What is measured against a limit instead of a peer: two threads against one, opening a file of weights, the reference device
// against the fast one, memory.

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"runtime"
	"time"

	"mmc4/kernels"
	"mmc4/kernels/ref"
	"mmc4/models/weights"
)

var limitRows = []Row{
	threadsRow("gemm", "a product of 2056 x 1024 x 4096", openThreadsGemm), threadsRow("clip", "ViT-L/14 image tower, batch 8", openThreadsClip),
	{Name: "load.safetensors", Input: "a mapped file of 1.2 GB, every byte read", Peer: "a second for each GB, by the clock", Bar: 1, Open: openLoad},
	{Name: "ref.gemm", Input: "the reference device, a product of 64 x 768 x 768", Peer: "cpu", Bar: 1.0 / 200, Open: openRef},
	{Name: "clip.memory", Input: "ViT-L/14 image tower, batch 8, fp32: largest memory", Peer: "its weights and 250 MB", Bar: 1, Open: openClipMemory},
}

// threadsRow sets two threads against one, by the clock: it says something on an idle machine only.
func threadsRow(name, input string, open func(ctx context.Context, lab *Lab) (two, one self, work float64, err error)) Row {
	return Row{Name: "threads." + name, Input: input + ", two threads by the clock", Peer: "one thread by the clock", Bar: 1.8,
		Open: func(ctx context.Context, lab *Lab) (*Contest, error) {
			if runtime.NumCPU() < 2 {
				return nil, Unavailable{"this machine has one core"}
			}
			if err := idle(); err != nil {
				return nil, err
			}
			two, one, work, err := open(ctx, lab)
			if err != nil {
				return nil, err
			}
			two.clock, one.clock = true, true
			agree := func() (string, error) { return "same program", errors.Join(two.run(), one.run(), idle()) }
			return &Contest{Unit: "GFLOP/s", Work: work, Ours: two, Theirs: one, Agree: agree}, nil
		}}
}

func openThreadsGemm(_ context.Context, lab *Lab) (two, one self, work float64, err error) {
	s := [3]int{2056, 1024, 4096}
	a, w := gemmInput(lab, s)
	single, err := newProduct(a, w, s, kernels.F32, true)
	if err != nil {
		return two, one, 0, err
	}
	runtime.GOMAXPROCS(2) // a device has as many threads as there are when it is opened; Run sets it back
	both, err := newProduct(a, w, s, kernels.F32, true)
	if err != nil {
		return two, one, 0, errors.Join(err, single.close())
	}
	return both.side("two threads"), single.side("one thread"), gigaflop(s), nil
}

func openThreadsClip(ctx context.Context, lab *Lab) (two, one self, work float64, err error) {
	path, err := writeWeights(lab, "clip", "vit.safetensors", vitTensors(vitWidth, vitLayers, vitPatch, vitDim))
	if err != nil {
		return two, one, 0, err
	}
	side := func(threads int) (self, error) {
		runtime.GOMAXPROCS(threads) // Run sets it back
		t, err := newTower(ctx, path, kernels.F32)
		if err != nil {
			return self{}, err
		}
		const batch = 8
		pixels := make([]float32, batch*3*vitSide*vitSide)
		run := func() error {
			_, err := t.features(pixels, batch)
			return err
		}
		return self{version: fmt.Sprint("threads: ", threads), run: run, close: t.close}, nil
	}
	if one, err = side(1); err != nil {
		return two, one, 0, err
	}
	if two, err = side(2); err != nil {
		return two, one, 0, errors.Join(err, one.Close())
	}
	return two, one, 8 * 161.7, nil // GFLOP of a picture's products
}

// allowance is a side that takes a fixed time.
type allowance struct {
	each time.Duration
	name string
}

func (a allowance) Run(times int) (time.Duration, error) { return time.Duration(times) * a.each, nil }
func (a allowance) Version() string                      { return a.name }
func (a allowance) Close() error                         { return nil }

func openLoad(ctx context.Context, lab *Lab) (*Contest, error) {
	path, err := writeWeights(lab, "clip", "vit.safetensors", vitTensors(vitWidth, vitLayers, vitPatch, vitDim))
	if err != nil {
		return nil, err
	}
	bytes := 0
	load := func() error {
		file, err := weights.Open(ctx, path)
		if err != nil {
			return err
		}
		defer file.Close()
		bytes = 0
		for _, name := range file.Names() {
			t, err := file.Tensor(name)
			if err != nil {
				return err
			}
			crc32.ChecksumIEEE(t.Data)
			bytes += len(t.Data)
		}
		return nil
	}
	if err := load(); err != nil {
		return nil, err
	}
	gigabytes := float64(bytes) / 1e9
	return &Contest{Unit: "GB/s", Work: gigabytes, Ours: self{run: load, clock: true}, Theirs: allowance{time.Duration(gigabytes * 1e9), "1 GB/s"},
		Agree: func() (string, error) { return fmt.Sprintf("%d bytes read", bytes), nil }}, nil
}

func openRef(_ context.Context, lab *Lab) (*Contest, error) {
	s := [3]int{64, 768, 768}
	a, w := gemmInput(lab, s)
	fast, err := newProduct(a, w, s, kernels.F32, false)
	if err != nil {
		return nil, err
	}
	slow, err := newProductOn(ref.New(), a, w, s, kernels.F32, false)
	if err != nil {
		return nil, err
	}
	agree := func() (string, error) {
		mine, err := slow.result()
		if err != nil {
			return "", err
		}
		theirs, err := fast.result()
		if err != nil {
			return "", err
		}
		return closeTo(mine, theirs, 1e-5)
	}
	return &Contest{Unit: "GFLOP/s", Work: gigaflop(s), Ours: slow.side(""), Theirs: fast.side("cpu"), Agree: agree}, nil
}

func openClipMemory(ctx context.Context, lab *Lab) (*Contest, error) {
	path, err := writeWeights(lab, "clip", "vit.safetensors", vitTensors(vitWidth, vitLayers, vitPatch, vitDim))
	if err != nil {
		return nil, err
	}
	if err := resetPeak(); err != nil {
		return nil, err
	}
	t, err := newTower(ctx, path, kernels.F32)
	if err != nil {
		return nil, err
	}
	const batch = 8
	var size, peak int64
	agree := func() (string, error) {
		for range 3 {
			if _, err := t.features(make([]float32, batch*3*vitSide*vitSide), batch); err != nil {
				return "", err
			}
		}
		for _, w := range vitTensors(vitWidth, vitLayers, vitPatch, vitDim) {
			n := int64(4)
			for _, d := range w.shape {
				n *= int64(d)
			}
			size += n
		}
		peak, err = peakBytes()
		return fmt.Sprintf("weights of %d MB, %d MB at most", size/1e6, peak/1e6), err
	}
	return &Contest{Unit: "1/GB", Work: 1, Ours: self{close: t.close}, Theirs: self{}, Agree: agree,
		Once: func() (float64, float64, error) { return float64(peak) / 1e9, float64(size+250e6) / 1e9, nil }}, nil
}

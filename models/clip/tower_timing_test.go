//go:build linux

package clip

// Where a tower's time goes, op by op: go test -run - -bench Tower ./models/clip. The table is for developers.

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"mmc4/kernels"
	"mmc4/kernels/cpu"
	"mmc4/models/weights"
)

// timed is a host device that adds up the time of each kind of op.
type timed struct {
	kernels.Device
	times map[string]time.Duration
}

type timedQueue struct {
	kernels.Queue
	times map[string]time.Duration
}

func (d timed) NewQueue() (kernels.Queue, error) {
	q, err := d.Device.NewQueue()
	return timedQueue{q, d.times}, err
}

func (q timedQueue) Do(op kernels.Op) {
	name := op.Name()
	if p, ok := op.(*kernels.MatMul); ok {
		m, n, k := p.Sizes()
		name = fmt.Sprintf("matmul %dx%dx%d %v", m, n, k, p.Act)
	}
	start := threadTime()
	q.Queue.Do(op)
	q.times[name] += threadTime() - start
}

// threadTime is the CPU time of the calling thread.
func threadTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		panic(err)
	}
	return time.Duration(t.Nano())
}

// BenchmarkTower runs four layers of ViT-L/14.
func BenchmarkTower(b *testing.B) {
	c := VisionConfig{Width: 1024, Layers: 4, Heads: 16, MLP: 4096, PatchSize: 14, ImageSize: 224, Act: kernels.QuickGELU, Eps: 1e-5}
	for _, dtype := range []kernels.DType{kernels.F32, kernels.BF16, kernels.I8} {
		for _, batch := range []int{1, 8} {
			b.Run(fmt.Sprintf("%v/%d", dtype, batch), func(b *testing.B) {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				inner, err := cpu.New(1)
				if err != nil {
					b.Skip(err)
				}
				defer inner.Close()
				dev := timed{inner, map[string]time.Duration{}}
				queue, _ := dev.NewQueue()
				vision, err := NewVision(dev, queue, towerFile(b, c), c, 768, dtype)
				if err == nil {
					err = vision.Freeze()
				}
				if err != nil {
					b.Fatal(err)
				}
				defer vision.Free()
				activations := kernels.F32
				if dtype == kernels.BF16 {
					activations = kernels.BF16
				}
				p := kernels.NewPass(dev, queue, kernels.NewArena(dev, 0), kernels.PassOptions{DType: activations})
				defer p.Arena().Free()
				run := func() {
					p.Reset()
					x := p.Alloc(activations, batch, 3, c.ImageSize, c.ImageSize)
					p.Do(&kernels.Fill{Dst: x, Value: 0.5})
					if _, err := p.Float32(vision.Features(p, x)); err != nil {
						b.Fatal(err)
					}
				}
				run()
				clear(dev.times)
				start := threadTime()
				for b.Loop() {
					run()
				}
				b.ReportMetric((threadTime()-start).Seconds()*1e3/float64(b.N*batch), "cpu-ms/picture")
				var lines []string
				for name, took := range dev.times {
					lines = append(lines, fmt.Sprintf("%9.3f ms  %s", took.Seconds()*1e3/float64(b.N*batch), name))
				}
				slices.Sort(lines)
				slices.Reverse(lines)
				b.Logf("per picture:\n%s", strings.Join(lines[:min(8, len(lines))], "\n"))
			})
		}
	}
}

// towerFile is weights of an image tower, all 0.02.
func towerFile(b *testing.B, c VisionConfig) *weights.File {
	var all []weights.Tensor
	add := func(name string, shape ...int) {
		n := 1
		for _, d := range shape {
			n *= d
		}
		values := make([]float32, n)
		for i := range values {
			values[i] = float32(i%7-3) * 0.01
		}
		all = append(all, weights.FromFloat32(name, values, shape...))
	}
	d := c.Width
	add("visual.class_embedding", d)
	add("visual.conv1.weight", d, 3, c.PatchSize, c.PatchSize)
	add("visual.positional_embedding", 1+c.Patches(), d)
	add("visual.proj", d, 768)
	norms := []string{"visual.ln_pre", "visual.ln_post"}
	for i := range c.Layers {
		p := fmt.Sprintf("visual.transformer.resblocks.%d.", i)
		norms = append(norms, p+"ln_1", p+"ln_2")
		add(p+"attn.in_proj_weight", 3*d, d)
		add(p+"attn.in_proj_bias", 3*d)
		add(p+"attn.out_proj.weight", d, d)
		add(p+"attn.out_proj.bias", d)
		add(p+"mlp.c_fc.weight", c.MLP, d)
		add(p+"mlp.c_fc.bias", c.MLP)
		add(p+"mlp.c_proj.weight", d, c.MLP)
		add(p+"mlp.c_proj.bias", d)
	}
	for _, name := range norms {
		add(name+".weight", d)
		add(name+".bias", d)
	}
	path := filepath.Join(b.TempDir(), "tower.safetensors")
	f, err := os.Create(path)
	if err == nil {
		err = weights.Write(f, all, nil)
	}
	if err != nil {
		b.Fatal(err)
	}
	f.Close()
	file, err := weights.Open(context.Background(), path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { file.Close() })
	return file
}

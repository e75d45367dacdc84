//go:build linux && cgo

package bench

// Where a step of training goes, op by op: go test -run - -bench TrainStep -benchtime 2x ./bench. The table is for developers.

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"mmc4/kernels"
	"mmc4/kernels/cpu"
)

// timed is a host device that adds up the time of each kind of op.
type timed struct {
	*cpu.Device
	times map[string]time.Duration
	calls map[string]int
}

type timedQueue struct {
	kernels.Queue
	timed
}

func (d timed) NewQueue() (kernels.Queue, error) {
	q, err := d.Device.NewQueue()
	return timedQueue{q, d}, err
}

func (q timedQueue) Do(op kernels.Op) {
	name := op.Name()
	if p, ok := op.(*kernels.MatMul); ok {
		m, n, k := p.Sizes()
		form := "x W"
		switch {
		case p.TransA:
			form = "x^T y"
		case p.TransB && p.B.Packed:
			form = "x W^T packed"
		case p.TransB:
			form = "x W^T"
		}
		name = fmt.Sprintf("matmul %4d x %5d x %4d %s", m, n, k, form)
	}
	start := threadTime()
	q.Queue.Do(op)
	q.times[name] += threadTime() - start
	q.calls[name]++
}

// threadTime is the CPU time of the calling thread.
func threadTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		panic(err)
	}
	return time.Duration(t.Nano())
}

// BenchmarkTrainStep takes steps of a Flamingo with four layers of language model and tower.
func BenchmarkTrainStep(b *testing.B) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	lab, err := NewLab(b.TempDir(), ".", 1)
	if err != nil {
		b.Fatal(err)
	}
	defer lab.Close()
	small := strings.NewReplacer(`"num_hidden_layers":12`, `"num_hidden_layers":4`, `"layers":12`, `"layers":4`).Replace(trainConfig)
	shape, err := writeTraining(lab, small)
	if err != nil {
		b.Fatal(err)
	}
	inner, err := cpu.New(1)
	if err != nil {
		b.Skip(err)
	}
	dev := timed{inner, map[string]time.Duration{}, map[string]int{}}
	ours, err := newTrainerOn(context.Background(), dev, lab, shape, false)
	if err != nil {
		b.Fatal(err)
	}
	defer ours.close()
	if err := ours.step(); err != nil { // the arena finds its size
		b.Fatal(err)
	}
	resetPeak()
	all := dev.table(b, ours.step)
	peak, err := peakBytes()
	if err != nil {
		b.Fatal(err)
	}
	fmt.Printf("a step %.3f s; the arena holds %d MB, the process %d MB at most\n", all, ours.stepper.Pass.Arena().Held()>>20, peak>>20)
}

// BenchmarkLearn takes steps of the GPT-2 of gpt2.train.
func BenchmarkLearn(b *testing.B) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	lab, err := NewLab(b.TempDir(), ".", 1)
	if err != nil {
		b.Fatal(err)
	}
	defer lab.Close()
	path, err := writeWeights(lab, "gpt2", "gpt2.safetensors", gpt2Tensors())
	if err != nil {
		b.Fatal(err)
	}
	inner, err := cpu.New(1)
	if err != nil {
		b.Skip(err)
	}
	dev := timed{inner, map[string]time.Duration{}, map[string]int{}}
	ours, err := newLearner(context.Background(), dev, path, make([]int32, learnSteps*learnRows*learnTokens))
	if err != nil {
		b.Fatal(err)
	}
	defer ours.close()
	if err := ours.step(); err != nil {
		b.Fatal(err)
	}
	fmt.Printf("a step %.3f s\n", dev.table(b, ours.step))
}

// table prints the time of each kind of op and gives that of a step.
func (dev timed) table(b *testing.B, step func() error) float64 {
	clear(dev.times)
	clear(dev.calls)
	began, steps := threadTime(), 0
	for b.Loop() {
		if err := step(); err != nil {
			b.Fatal(err)
		}
		steps++
	}
	all := (threadTime() - began).Seconds() / float64(steps)
	var names []string
	for name := range dev.times {
		names = append(names, name)
	}
	slices.SortFunc(names, func(x, y string) int { return int(dev.times[y] - dev.times[x]) })
	for _, name := range names {
		s := dev.times[name].Seconds() / float64(steps)
		rate := ""
		var m, n, k float64
		if parts, _ := fmt.Sscanf(name, "matmul %f x %f x %f", &m, &n, &k); parts == 3 {
			rate = fmt.Sprintf("%6.0f GFLOP/s", 2*m*n*k*float64(dev.calls[name]/steps)/s/1e9)
		}
		fmt.Printf("%5.1f %%  %6.1f ms  %4d  %-42s %s\n", 100*s/all, 1e3*s, dev.calls[name]/steps, name, rate)
	}
	return all
}

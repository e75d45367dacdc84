package gpu

// The speed phase: this program and torch in turn, on the same input, after their outputs were compared.

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"mmc4/bench"
	"mmc4/kernels"
	"mmc4/kernels/device"
)

// contest is two sides that are ready to run.
type contest struct {
	ours func() error // queues the work
	wait func() error // until it is done
	// agree compares outputs once; with no peer it is not called.
	agree func() (note string, err error)
	flops float64 // of one run, 0 where bytes count
	bytes float64
	peer  *bench.Peer
	close func()
}

// speedRun is the phase's place of work.
type speedRun struct {
	*run
	lab       *bench.Lab
	dev       kernels.Device
	bandwidth float64 // bytes a second: of copying, read and written, by whoever copies faster
	rate      float64 // operations a second of the largest product, by whoever is faster
}

func (r *run) speed() {
	dev, err := device.Open(r.Device)
	if err != nil {
		return // machine has said so
	}
	defer dev.Close()
	lab, err := bench.NewLab(r.Dir, "", r.Seed)
	if err != nil {
		r.check("lab", func(*Line) error { return err })
		return
	}
	defer lab.Close()
	s := &speedRun{run: r, lab: lab, dev: dev}
	s.copies()
	s.products()
	s.attentions()
	s.memoryBound()
	s.clip()
	s.flamingo()
}

// measure compares and then times both sides in turn. bar and reach are for torch's time over ours.
func (s *speedRun) measure(name string, bar, reach float64, open func(l *Line) (*contest, error)) {
	s.check(name, func(l *Line) error {
		c, err := open(l)
		if err != nil {
			return err
		}
		defer c.close()
		if c.peer != nil {
			defer c.peer.Close()
			l.Note, err = c.agree()
			if err != nil {
				return err
			}
			l.Note += "; " + c.peer.Version()
		} else {
			l.Note = "alone: " + s.torch()
		}
		return s.time(l, c, bar, reach)
	})
}

// time runs rounds of a quarter of a second a side.
func (s *speedRun) time(l *Line, c *contest, bar, reach float64) error {
	each, rounds := 250*time.Millisecond, 9
	if s.tiny() {
		each, rounds = time.Millisecond, 3
	}
	ours := func(n int) (float64, error) {
		began := time.Now()
		for range n {
			if err := c.ours(); err != nil {
				return 0, err
			}
		}
		err := c.wait()
		return time.Since(began).Seconds(), err
	}
	theirs := func(n int) (float64, error) {
		took, err := c.peer.Run(n)
		return took.Seconds(), err
	}
	sides := []func(int) (float64, error){ours}
	if c.peer != nil {
		sides = append(sides, theirs)
	}
	times := make([]int, len(sides))
	for i, side := range sides {
		if _, err := side(2); err != nil { // buffers are taken, kernels chosen
			return err
		}
		once, err := side(1)
		if err != nil {
			return err
		}
		times[i] = max(1, int(each.Seconds()/max(once, 1e-6)))
	}
	seconds, ratios := make([][]float64, len(sides)), []float64{}
	for range rounds {
		for i, side := range sides {
			took, err := side(times[i])
			if err != nil {
				return err
			}
			seconds[i] = append(seconds[i], took/float64(times[i]))
		}
		if len(sides) > 1 {
			ratios = append(ratios, last(seconds[1])/last(seconds[0]))
		}
		if s.ctx.Err() != nil {
			break
		}
	}
	mine, best := median(seconds[0]), median(seconds[0])
	l.Figures["ours_ms"] = 1000 * mine
	if len(sides) > 1 {
		l.Figures["torch_ms"] = 1000 * median(seconds[1])
		l.Of, l.Bar, l.Reach = "ratio", bar, reach
		l.Figures[l.Of] = median(ratios)
		best = min(best, median(seconds[1]))
	}
	if c.flops > 0 {
		l.Figures["TFLOP/s"] = c.flops / mine / 1e12
		s.utilisation(l, c.flops/mine)
		s.rate = max(s.rate, c.flops/best)
	}
	if c.bytes > 0 {
		l.Figures["GB/s"] = c.bytes / mine / 1e9
		s.bandwidth = max(s.bandwidth, c.bytes/best)
	}
	return s.count(l, c)
}

// waiting are the driver's functions that hold the host until the device is done, asking those that look whether it is, allocating
// those that take memory.
var (
	asking     = []string{"cuEventQuery", "cuStreamQuery"}
	waiting    = []string{"cuCtxSynchronize", "cuStreamSynchronize", "cuEventSynchronize", "cuMemcpy", "cuMemcpyHtoD_v2", "cuMemcpyDtoH_v2", "cuMemcpyDtoD_v2"}
	allocating = []string{"cuMemAlloc_v2", "cuMemAllocManaged", "cuMemAllocPitch_v2", "cuMemHostAlloc"}
)

// count adds how often a run that has come before waits for the device, asks it, and takes memory, where the device counts its calls.
func (s *speedRun) count(l *Line, c *contest) error {
	counter, ok := s.dev.(interface{ Calls() map[string]int })
	if !ok {
		return nil
	}
	const runs = 4
	before := counter.Calls()
	for range runs {
		if err := c.ours(); err != nil {
			return err
		}
	}
	after := counter.Calls()
	for figure, names := range map[string][]string{"waits": waiting, "asks": asking, "allocations": allocating} {
		n := 0
		for _, name := range names {
			n += after[name] - before[name]
		}
		l.Figures[figure] = float64(n) / runs
	}
	return c.wait()
}

// peaks are the makers' rates of dense bf16 products, by a part of the device's name.
var peaks = []struct {
	name string
	rate float64
}{{"A100", 312e12}, {"H100 PCIe", 756e12}, {"H100", 989e12}, {"H200", 989e12}}

// utilisation is a rate beside the maker's peak (MFU) and beside the best product measured here.
func (s *speedRun) utilisation(l *Line, rate float64) {
	for _, p := range peaks {
		if contains(s.dev.Profile(), p.name) {
			l.Figures["MFU"] = rate / p.rate
			break
		}
	}
	if s.rate > 0 {
		l.Figures["of the product rate here"] = rate / s.rate
	}
}

// peer starts torch's side, or none where there is no torch.
func (s *speedRun) peer(l *Line, task string, fields map[string]any) (*bench.Peer, error) {
	if s.torch(); !s.hasTorch {
		return nil, nil
	}
	fields["task"], fields["device"] = task, "cuda"
	if s.tiny() {
		fields["device"] = "cpu"
	}
	return s.lab.PythonAt(s.Python, "gpu_peer.py", fields)
}

// write puts a file of input into the lab.
func (s *speedRun) write(name string, data []byte) (string, error) {
	path := s.lab.Path(name)
	return path, os.WriteFile(path, data, 0o666)
}

// output is what the peer computes, as fp32.
func output(s *speedRun, p *bench.Peer) ([]float32, error) {
	data, err := p.Output(s.lab)
	return kernels.DecodeFloats(kernels.F32, data), err
}

// near compares by relative L2 error.
func near(mine, theirs []float32, limit float64) (string, error) {
	if len(mine) != len(theirs) {
		return "", fmt.Errorf("outputs differ: %d values, torch has %d", len(mine), len(theirs))
	}
	var off, all float64
	for i, v := range theirs {
		d := float64(mine[i]) - float64(v)
		off, all = off+d*d, all+float64(v)*float64(v)
	}
	e := math.Sqrt(off / max(all, 1e-30))
	if !(e <= limit) {
		return "", fmt.Errorf("outputs differ: relative L2 error %.2g, allowed %.2g", e, limit)
	}
	return fmt.Sprintf("relative L2 error %.1g", e), nil
}

func median(v []float64) float64 {
	sorted := slices.Sorted(slices.Values(v))
	return sorted[len(sorted)/2]
}

func last(v []float64) float64 { return v[len(v)-1] }

func itoa(i int) string { return strconv.Itoa(i) }

// folder is a fresh folder below the phase's.
func (s *speedRun) folder(name string) (string, error) {
	dir := filepath.Join(s.Dir, name)
	return dir, os.MkdirAll(dir, 0o777)
}

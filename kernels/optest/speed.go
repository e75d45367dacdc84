package optest

import (
	"fmt"
	"slices"
	"time"

	"mmc4/kernels"
)

// Timing is how fast a device did one instance.
type Timing struct {
	Op, Case string
	Mode     Mode
	Backward bool
	Seconds  float64 // of one op, the median of the rounds
	Flops    float64 // of one op; 0 where only bytes count
	Bytes    float64 // that one op must move at least
}

// TimeSpeed times one of a row's speed cases, forward or backward, in so many rounds of about so much time. It returns
// nothing if the device does not support it, or there is no backward op.
func TimeSpeed(dev kernels.Device, row *Row, which SpeedCase, mode Mode, backward bool, rounds int, each time.Duration) (*Timing, error) {
	if backward && row.Backward == nil {
		return nil, nil
	}
	g := NewGen(mode, 1)
	g.poked = true // plain values only
	forward := which.Make(g)
	op, ops := forward, []kernels.Op{forward}
	if backward {
		op, _ = row.backwardOf(g, forward, func(string) bool { return true })
		ops = append(ops, op)
	}
	if !dev.Supports(op) || !dev.Supports(forward) {
		return nil, nil
	}
	q, err := dev.NewQueue()
	if err != nil {
		return nil, err
	}
	p, err := place(dev, q, ops...)
	if err != nil {
		return nil, err
	}
	defer p.free()
	q.Do(p.ops[0])
	timed := p.ops[len(p.ops)-1]
	run := func(n int) (time.Duration, error) {
		start := time.Now()
		for range n {
			q.Do(timed)
		}
		err := q.Wait()
		return time.Since(start), err
	}
	once, err := run(1)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Describe(op), err)
	}
	n := max(1, int(each/max(once, time.Microsecond)))
	var seconds []float64
	for range rounds {
		took, err := run(n)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", Describe(op), err)
		}
		seconds = append(seconds, took.Seconds()/float64(n))
	}
	slices.Sort(seconds)
	return &Timing{Op: op.Name(), Case: which.Name, Mode: mode, Backward: backward, Seconds: seconds[len(seconds)/2],
		Flops: flops(op), Bytes: moved(op)}, nil
}

// flops counts multiplications and additions of the ops that are bound by them.
func flops(op kernels.Op) float64 {
	scores := func(a *kernels.Attention) float64 {
		q, keys := a.Q.Dims, a.K.Dims[1]
		if !a.K2.None() {
			keys += a.K2.Dims[1]
		}
		n := float64(q[0]) * float64(q[1]) * float64(q[2]) * float64(q[3]) * float64(keys)
		if a.Causal && q[1] == keys {
			n /= 2
		}
		return n
	}
	switch op := op.(type) {
	case *kernels.MatMul:
		m, n, k := op.Sizes()
		return 2 * float64(m) * float64(n) * float64(k)
	case *kernels.Attention:
		return 4 * scores(op)
	case *kernels.AttentionBackward:
		return 10 * scores(op.Forward)
	}
	return 0
}

func moved(op kernels.Op) float64 {
	var sum int
	for _, f := range fields(op) {
		sum += f.tensor.Len() * f.tensor.DType.Size()
	}
	if op, ok := op.(*kernels.AdamW); ok {
		for _, p := range op.Params { // read and written
			sum += 3 * 4 * p.W.Len()
		}
	}
	return float64(sum)
}

//go:build cuda && cgo

package cuda

import (
	"testing"

	"mmc4/kernels"
)

// TestStepsThatRepeatAreGraphs takes one step some times: its launches become graphs, one that changes from step to step
// does not, and graphs read what their inputs hold now.
func TestStepsThatRepeatAreGraphs(t *testing.T) {
	d := open(t)
	q, err := d.NewQueue()
	if err != nil {
		t.Fatal(err)
	}
	const n, adds, steps = 100, 2*runLength + 10, 5
	b, err := d.Alloc(3 * 4 * n)
	if err != nil {
		t.Fatal(err)
	}
	x, y, z := kernels.View(b, 0, kernels.F32, n), kernels.View(b, n, kernels.F32, n), kernels.View(b, 2*n, kernels.F32, n)
	q.Do(&kernels.Fill{Dst: x, Value: 0})
	want := float32(0)
	for step := range steps {
		values := make([]float32, n)
		for i := range values {
			values[i] = float32(step + 1)
		}
		q.Write(y, kernels.EncodeFloats(kernels.F32, values))
		for i := range adds {
			q.Do(&kernels.Add{A: x, B: y, Out: x})
			if i == 20 {
				q.Do(&kernels.Fill{Dst: z, Value: float32(step)})
			}
		}
		want += adds * float32(step+1)
	}
	data := make([]byte, 4*n)
	q.Read(data, x)
	if err := q.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := kernels.DecodeFloats(kernels.F32, data); got[0] != want || got[n-1] != want {
		t.Errorf("%v and %v, want %v", got[0], got[n-1], want)
	}
	graphs := 0
	for _, r := range q.(*queue).launches.known {
		if r.graph != nil {
			graphs++
		}
	}
	if graphs != 3 { // of 21, of runLength, and what is left
		t.Errorf("%d graphs", graphs)
	}
}

// TestFreeLetsWaitingLaunchesGo frees memory that a launch uses which no one has waited for.
func TestFreeLetsWaitingLaunchesGo(t *testing.T) {
	d := open(t)
	q, err := d.NewQueue()
	if err != nil {
		t.Fatal(err)
	}
	b, err := d.Alloc(4 * 100)
	if err != nil {
		t.Fatal(err)
	}
	q.Do(&kernels.Fill{Dst: kernels.View(b, 0, kernels.F32, 100), Value: 1})
	b.Free()
	if err := q.Wait(); err != nil {
		t.Error(err)
	}
}

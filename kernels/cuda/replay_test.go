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

// TestScratchOfARecordingStays makes an op ask for more scratch memory than there was when a recording was captured.
func TestScratchOfARecordingStays(t *testing.T) {
	d := open(t)
	first, err := d.NewQueue()
	if err != nil {
		t.Fatal(err)
	}
	q := first.(*queue)
	const rows, cols, many = 3, 5, 300_000
	b, err := d.Alloc(4 * (rows*cols + cols + 2*many))
	if err != nil {
		t.Fatal(err)
	}
	x, sum := kernels.View(b, 0, kernels.F32, rows, cols), kernels.View(b, rows*cols, kernels.F32, cols)
	wide, wideSum := kernels.View(b, rows*cols+cols, kernels.F32, 1, many), kernels.View(b, rows*cols+cols+many, kernels.F32, many)
	op := &kernels.SumRows{X: x, Out: kernels.Grad{T: sum}}
	q.Do(&kernels.Fill{Dst: x, Value: 1})
	q.Do(op)
	recording, err := q.Capture([]kernels.Op{op})
	if err != nil {
		t.Fatal(err)
	}
	defer recording.Free()
	q.Do(&kernels.Fill{Dst: wide, Value: 1})
	before := q.scratch
	q.Do(&kernels.SumRows{X: wide, Out: kernels.Grad{T: wideSum}})
	if q.scratch == before {
		t.Fatal("the larger op found room")
	}
	q.Do(&kernels.Fill{Dst: x, Value: 2})
	recording.Do()
	data := make([]byte, 4*cols)
	q.Read(data, sum)
	if err := q.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := kernels.DecodeFloats(kernels.F32, data); got[0] != 2*rows || got[cols-1] != 2*rows {
		t.Errorf("%v, want %d each", got, 2*rows)
	}
}

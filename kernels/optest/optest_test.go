package optest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"mmc4/kernels"
	"mmc4/kernels/ref"
)

func TestRef(t *testing.T) { Check(t, ref.New(), 40) }

// TestTableIsComplete reads the op files of package kernels and looks for every op in the table.
func TestTableIsComplete(t *testing.T) {
	inTable := map[string]bool{}
	for i := range Rows {
		inTable[Rows[i].Op] = true
		inTable[Rows[i].BackwardOp()] = true
	}
	files, _ := filepath.Glob("../ops_*.go")
	name := regexp.MustCompile(`\) Name\(\) string \{ return "(\w+)" \}`)
	found := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range name.FindAllStringSubmatch(string(text), -1) {
			found++
			if !inTable[m[1]] {
				t.Errorf("%s of %s is in no row", m[1], file)
			}
		}
	}
	if found < 30 {
		t.Errorf("found only %d ops", found)
	}
}

// TestFieldsFindsEveryTensor guards the reflection: an op's outputs must be among its fields.
func TestFieldsFindsEveryTensor(t *testing.T) {
	for i := range Rows {
		row := &Rows[i]
		seen := map[string]bool{}
		for seed := range uint64(60) {
			for _, f := range fields(row.Make(NewGen(BF16, seed))) {
				seen[f.name] = true
			}
		}
		for _, name := range append(append([]string{}, row.Outputs...), row.Wrt...) {
			if !seen[name] {
				t.Errorf("%s: no instance has a field %s", row.Op, name)
			}
		}
	}
}

// broken is a ref device with a fault.
type broken struct {
	*ref.Device
	skipAll bool
	after   func(op kernels.Op)
}

func (b broken) Supports(op kernels.Op) bool { return !b.skipAll && b.Device.Supports(op) }

func (b broken) NewQueue() (kernels.Queue, error) {
	q, err := b.Device.NewQueue()
	return brokenQueue{q, b.after}, err
}

type brokenQueue struct {
	kernels.Queue
	after func(op kernels.Op)
}

func (q brokenQueue) Do(op kernels.Op) {
	q.Queue.Do(op)
	q.after(op)
}

type recorder struct{ errors []string }

func (*recorder) Helper()             {}
func (*recorder) Logf(string, ...any) {}
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

// TestFaultsAreFound breaks the reference device and looks whether Check sees it, op by op.
func TestFaultsAreFound(t *testing.T) {
	nothing := func(kernels.Op) {}
	r := &recorder{}
	Check(r, broken{Device: ref.New(), skipAll: true, after: nothing}, 2)
	if len(r.errors) < 2*len(Rows) {
		t.Errorf("a device that skips everything: only %d errors", len(r.errors))
	}

	for i := range Rows {
		row := &Rows[i]
		// The last element of the first output is not written as it should be.
		wrong := func(op kernels.Op) {
			outs := row.outputs(op)
			if len(outs) == 0 || op.Check() != nil {
				return
			}
			out := *outs[0].tensor
			last := 0
			elements(out, func(at int) { last = at })
			size := out.DType.Size()
			out.Mem.(kernels.HostBuffer).Host()[last*size+size-1] ^= 0x41
		}
		// A byte behind the tensors is written.
		stray := func(op kernels.Op) {
			if bs := buffers(op); len(bs) > 0 && op.Check() == nil {
				mem := bs[0].(kernels.HostBuffer).Host()
				mem[len(mem)-1] ^= 1
			}
		}
		// The bits change from run to run.
		run := 0
		unsteady := func(op kernels.Op) {
			run++
			if outs := row.outputs(op); len(outs) > 0 && run%2 == 0 {
				wrong(op)
			}
		}
		for name, fault := range map[string]func(kernels.Op){"wrong": wrong, "stray": stray, "unsteady": unsteady} {
			found := 0
			for _, report := range Compare(broken{Device: ref.New(), after: fault}, Rows[i:i+1], 4) {
				if len(report.Errs) > 0 {
					found++
				}
			}
			want := 3
			if row.Backward != nil {
				want = 6
			}
			if found < want {
				t.Errorf("%s: fault %q was found in %d of %d reports", row.Op, name, found, want)
			}
		}
	}
}

func TestTimeSpeed(t *testing.T) {
	for i := range Rows {
		if row := &Rows[i]; row.Op == "attention" || row.Op == "embedding" {
			small := SpeedCase{"small", func(g *Gen) kernels.Op { g.Small = true; return row.Make(g) }}
			for _, backward := range []bool{false, true} {
				timing, err := TimeSpeed(ref.New(), row, small, FP32, backward, 3, 0)
				if err != nil || timing == nil || timing.Seconds <= 0 || timing.Bytes <= 0 {
					t.Errorf("%s, backward %v: %+v, %v", row.Op, backward, timing, err)
				}
			}
		}
	}
}

//go:build cuda && cgo

package cuda

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mmc4/kernels/optest"
)

// open opens the first GPU, or what MMC4_LIBCUDA has in its place.
func open(t *testing.T) *Device {
	t.Helper()
	if _, err := Count(); err != nil {
		t.Skipf("no device: %v (make cuda-check runs this on a stub driver)", err)
	}
	d, err := New(0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil && !t.Failed() {
			t.Error(err)
		}
	})
	return d
}

// rounds is how many instances of every op run: MMC4_CUDA_ROUNDS.
func rounds() int {
	if n, err := strconv.Atoi(os.Getenv("MMC4_CUDA_ROUNDS")); err == nil {
		return n
	}
	return 20
}

// TestOps runs the table of ops, the difference quotients and the pieces of models.
func TestOps(t *testing.T) { optest.Check(t, open(t), rounds()) }

// TestOneOp compares the ops that MMC4_CUDA_OPS names: what tools/cuda/mutants.sh plants errors for.
func TestOneOp(t *testing.T) {
	names := strings.Split(os.Getenv("MMC4_CUDA_OPS"), ",")
	if names[0] == "" {
		t.Skip("MMC4_CUDA_OPS names no op")
	}
	rows := slices.DeleteFunc(slices.Clone(optest.Rows), func(r optest.Row) bool { return !slices.Contains(names, r.Op) })
	if len(rows) != len(names) {
		t.Fatalf("MMC4_CUDA_OPS=%v: %d rows of the table have such names", names, len(rows))
	}
	for _, r := range optest.Compare(open(t), rows, rounds()) {
		for _, err := range r.Errs {
			t.Error(err)
		}
	}
}

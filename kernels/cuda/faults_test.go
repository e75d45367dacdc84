//go:build cuda && cgo

package cuda

import (
	"errors"
	"os"
	"strings"
	"testing"

	"mmc4/kernels"
)

// onStub opens the stub driver's device.
func onStub(t *testing.T) *Device {
	t.Helper()
	d := open(t)
	if !strings.Contains(d.Profile(), "stub") {
		t.Skip("only on the stub driver")
	}
	return d
}

func TestMemoryRunsOut(t *testing.T) {
	t.Setenv("MMC4_STUB_MEMORY", "1048576")
	d := onStub(t)
	if _, err := d.Alloc(2 << 20); !errors.Is(err, kernels.ErrOutOfMemory) {
		t.Errorf("more than there is: %v", err)
	}
	b, err := d.Alloc(1 << 19)
	if err != nil {
		t.Fatal(err)
	}
	b.Free()
	b.Free()
}

// TestLostDevice needs a process of its own: MMC4_STUB_FAIL is the launch that fails.
func TestLostDevice(t *testing.T) {
	if os.Getenv("MMC4_STUB_FAIL") == "" {
		t.Skip("MMC4_STUB_FAIL is not set")
	}
	d := onStub(t)
	q, err := d.NewQueue()
	if err != nil {
		t.Fatal(err)
	}
	b, err := d.Alloc(64)
	if err != nil {
		t.Fatal(err)
	}
	x := kernels.View(b, 0, kernels.F32, 16)
	for range 3 {
		q.Do(&kernels.Fill{Dst: x, Value: 1})
	}
	if err := q.Record().Wait(); !errors.Is(err, kernels.ErrDeviceLost) {
		t.Errorf("an event behind the failure: %v", err)
	}
	if err := q.Wait(); !errors.Is(err, kernels.ErrDeviceLost) {
		t.Errorf("Wait: %v", err)
	}
	t.Cleanup(func() { d.closed = true }) // nothing of it answers
}

func TestReadsAndWritesLargerThanPinnedMemory(t *testing.T) {
	d := open(t)
	q, err := d.NewQueue()
	if err != nil {
		t.Fatal(err)
	}
	data, back := make([]byte, 5*chunkBytes+13), make([]byte, 5*chunkBytes+13)
	for i := range data {
		data[i] = byte(i * 7 >> 3)
	}
	b, err := d.Alloc(len(data))
	if err != nil {
		t.Fatal(err)
	}
	all := kernels.View(b, 0, kernels.U8, len(data))
	q.Write(all, data)
	q.Read(back, all)
	e := q.Record()
	if err := e.Wait(); err != nil {
		t.Fatal(err)
	}
	if !e.Done() || string(back) != string(data) {
		t.Error("what came back differs")
	}
}

package lm

import (
	"testing"

	"mmc4/kernels"
	"mmc4/kernels/device"
)

// lending is a device that knows what was not given back to it. It hides that the device inside can adopt memory.
type lending struct {
	kernels.Device
	t   *testing.T
	out map[*lent]bool
}

type lent struct {
	kernels.HostBuffer
	from *lending
}

func (b *lent) Free() {
	if !b.from.out[b] {
		b.from.t.Error("memory was given back twice")
		return
	}
	delete(b.from.out, b)
	b.HostBuffer.Free()
}

func (d *lending) Alloc(bytes int) (kernels.Buffer, error) {
	inner, err := d.Device.Alloc(bytes)
	if err != nil {
		return nil, err
	}
	b := &lent{inner.(kernels.HostBuffer), d}
	d.out[b] = true
	return b, nil
}

// TestFreeGivesAllBack: a model in any type leaves nothing behind.
func TestFreeGivesAllBack(t *testing.T) {
	inner, err := device.Open("auto")
	if err != nil {
		t.Fatal(err)
	}
	defer inner.Close()
	for name, config := range tiny {
		for _, dtype := range []kernels.DType{kernels.F32, kernels.BF16, kernels.I8} {
			dev := &lending{inner, t, map[*lent]bool{}}
			parsed, err := ParseConfig([]byte(config))
			if err != nil {
				t.Fatal(err)
			}
			q, err := dev.NewQueue()
			if err != nil {
				t.Fatal(err)
			}
			m, err := New(dev, q, nil, parsed, Options{DType: dtype})
			if err == nil {
				err = q.Wait()
			}
			if err != nil {
				t.Fatal(name, dtype, err)
			}
			if len(dev.out) == 0 {
				t.Fatalf("%s, %v: a model without memory of the device", name, dtype)
			}
			m.Free()
			if len(dev.out) > 0 {
				t.Errorf("%s, %v: %d buffers were not given back", name, dtype, len(dev.out))
			}
		}
	}
}

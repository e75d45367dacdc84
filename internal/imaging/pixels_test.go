package imaging

import (
	"bytes"
	"sync"
	"testing"
)

// TestLentPixels works on pictures of many shapes at once, each with what others left in the lent memory; every result must be that of
// the first time.
func TestLentPixels(t *testing.T) {
	type job struct {
		data []byte
		want File
	}
	var jobs []job
	for i, size := range [][2]int{{40, 30}, {300, 200}, {31, 500}, {256, 256}, {600, 601}} {
		m := NewRGB(size[0], size[1])
		for j := range m.Pix {
			m.Pix[j] = byte(j * (i + 3) >> 4)
		}
		var b bytes.Buffer
		if err := EncodeJPEG(&b, m, 95); err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, job{data: b.Bytes()})
	}
	shrink := func(data []byte) (File, error) {
		p, err := Decode(data, Limits{MaxPixels: 1 << 20})
		if err != nil {
			return File{}, err
		}
		defer p.Release()
		return ShrinkMMC4(data, p, 64)
	}
	for i := range jobs {
		var err error
		if jobs[i].want, err = shrink(jobs[i].data); err != nil {
			t.Fatal(err)
		}
	}
	var all sync.WaitGroup
	for w := range 4 {
		all.Go(func() {
			for k := range 40 {
				j := &jobs[(k*(w+1)+w)%len(jobs)]
				got, err := shrink(j.data)
				if err != nil || !bytes.Equal(got.Data, j.want.Data) || got.Width != j.want.Width {
					t.Errorf("another picture: %d bytes, want %d: %v", len(got.Data), len(j.want.Data), err)
				}
			}
		})
	}
	all.Wait()
	big := lendPixels(1<<24 + 1)
	if givePixels(big); cap(big) > 1<<24+1<<20 {
		t.Errorf("a large buffer was rounded up to %d bytes", cap(big))
	}
	p := &Picture{Pix: make([]uint8, 64)}
	if p.Release(); p.Pix != nil {
		t.Error("a released picture still has pixels")
	}
}

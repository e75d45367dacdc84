//go:build cuda && cgo

package cuda

import (
	"gorgonia.org/cu"

	"mmc4/kernels/cuda/driver"
)

// stream is a driver's stream and the memory that goes with it. It outlives its queue and is used again by another.
type stream struct {
	d        *Device
	s        cu.Stream
	chunks   []*chunk // of pinned memory, in the order they were begun; the last one is being filled
	scratch  cu.DevicePtr
	room     int            // bytes of scratch
	captured bool           // there may be recordings, whose graphs know the scratch of their time
	outgrown []cu.DevicePtr // which is kept for them
	library  library
	launches launches
}

// chunk is pinned memory that copies run through.
type chunk struct {
	mem    []byte
	used   int
	full   bool
	behind cu.Event // recorded when it was full
	number int      // of that mark in its queue, 0 when the queue is gone
}

// newChunk needs the device's context.
func newChunk() (*chunk, error) {
	mem, err := driver.AllocHost(chunkBytes)
	if err != nil {
		return nil, failed("take pinned memory", err)
	}
	behind, err := cu.MakeEvent(cu.DisableTiming)
	if err != nil {
		_ = driver.FreeHost(mem)
		return nil, failed("make an event", err)
	}
	return &chunk{mem: mem, behind: behind}, nil
}

const (
	chunkBytes = 4 << 20
	mostChunks = 16 // those of a step in work and of the one that is being queued
)

// close gives the driver's things back; the device's context is current.
func (s *stream) close() {
	_ = s.flush()
	_ = s.s.Synchronize()
	s.forget()
	for _, c := range s.chunks {
		_ = driver.FreeHost(c.mem)
		_ = cu.DestroyEvent(&c.behind)
	}
	for _, at := range s.outgrown {
		_ = cu.MemFree(at)
	}
	if s.room > 0 {
		_ = cu.MemFree(s.scratch)
	}
	s.library.close()
	_ = s.s.Destroy()
}

// scratchFor is memory for one op, of undefined content. Ops of a stream follow one another, so they share it.
func (s *stream) scratchFor(bytes int) (cu.DevicePtr, error) {
	if bytes <= s.room {
		return s.scratch, nil
	}
	if err := s.flush(); err != nil {
		return 0, err
	}
	err := s.d.do(func() error {
		switch {
		case s.room == 0:
		case s.captured:
			s.outgrown = append(s.outgrown, s.scratch)
		default: // waits for the work that uses it
			if err := cu.MemFree(s.scratch); err != nil {
				return failed("free scratch memory", err)
			}
		}
		s.room = 0
		want := max(bytes+bytes/2, 1<<20)
		at, err := cu.MemAlloc(int64(want))
		if err != nil {
			want = bytes
			at, err = cu.MemAlloc(int64(want))
		}
		if err != nil {
			return failed("take scratch memory", err)
		}
		s.scratch, s.room = at, want
		return nil
	})
	return s.scratch, err
}

//go:build cuda && cgo

package cuda

import (
	"bytes"
	"hash/maphash"
	"slices"
	"sync"
	"unsafe"

	"gorgonia.org/cu"

	"mmc4/kernels/cuda/driver"
)

// Launches of a stream wait in runs of up to runLength, and go to the driver when a run is full or when something else must
// follow them. A run that came before, with the same arguments to the last byte, becomes a CUDA graph: one call instead of
// one a kernel, and shorter gaps between them. Steps of a fixed shape repeat themselves, since arenas give them the same
// memory. A launch that never came before ends a run and goes by itself. Work that is known to repeat as a whole is one graph
// of its own: capture.go.
const (
	leastRun  = 4 // shorter ones are launched as they are
	runLength = 64
	mostRuns  = 512 // that are remembered; beyond, all are forgotten
	mostSeen  = 1 << 16
)

// launches is a stream's run. It has a lock of its own, since freeing memory lets waiting launches go first.
type launches struct {
	mu     sync.Mutex
	list   []work
	bytes  []byte  // of all kernels, shapes and arguments of the list, one after the other
	places []int32 // of all arguments: their offsets
	known  map[uint64]*run
	seen   map[uint64]bool // hashes of single launches; a false one costs nothing but a graph that is used once
	held   bool            // all launches wait, to be captured as a whole
	err    error
}

// hold makes launches wait, whatever comes, or forgets those that did.
func (l *launches) hold(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clear()
	l.held = on
}

// work is a kernel or a product of cuBLASLt; its arguments are in the run's bytes.
type work struct {
	name        string
	f           cu.Function
	s           shape
	from, to    int // of bytes
	first, last int // of places
	plan        *driver.LtPlan
	operands    driver.LtOperands
}

// run is what was launched before; it has a graph from the second time on.
type run struct {
	bytes []byte
	graph *driver.Graph
}

var seed = maphash.MakeSeed()

// enqueue appends work. write appends the arguments' bytes, and their places as the kernel gets them.
func (s *stream) enqueue(w work, write func(l *launches) error) error {
	l := &s.launches
	l.mu.Lock()
	defer l.mu.Unlock()
	begin := len(l.bytes)
	l.bytes = appendBytes(l.bytes, &w.f)
	l.bytes = appendBytes(l.bytes, &w.s)
	for len(l.bytes)%8 != 0 {
		l.bytes = append(l.bytes, 0)
	}
	w.from, w.first = len(l.bytes), len(l.places)
	if err := write(l); err != nil {
		l.bytes, l.places = l.bytes[:begin], l.places[:w.first]
		return err
	}
	w.to, w.last = len(l.bytes), len(l.places)
	l.list = append(l.list, w)
	if l.held {
		return nil
	}
	switch hash := maphash.Bytes(seed, l.bytes[begin:]); {
	case !l.seen[hash]:
		if l.seen == nil || len(l.seen) == mostSeen {
			l.seen = map[uint64]bool{}
		}
		l.seen[hash] = true
		n := len(l.list) - 1
		err := s.launchRun(l.list[:n], l.bytes[:begin])
		if err == nil {
			err = s.launchAll(l.list[n:])
		}
		l.clear()
		return err
	case len(l.list) == runLength:
		return s.goOn()
	}
	return nil
}

func (l *launches) clear() { l.list, l.bytes, l.places = l.list[:0], l.bytes[:0], l.places[:0] }

// send lets what waits go to the driver; flush also returns the first error since the last flush.
func (s *stream) send() {
	s.launches.mu.Lock()
	defer s.launches.mu.Unlock()
	if s.launches.held {
		return
	}
	if err := s.goOn(); s.launches.err == nil {
		s.launches.err = err
	}
}

func (s *stream) flush() error {
	s.send()
	s.launches.mu.Lock()
	defer s.launches.mu.Unlock()
	err := s.launches.err
	s.launches.err = nil
	return err
}

// goOn needs the lock.
func (s *stream) goOn() error {
	defer s.launches.clear()
	return s.launchRun(s.launches.list, s.launches.bytes)
}

// launchRun launches a run, as a graph if it came before. all is what it consists of.
func (s *stream) launchRun(list []work, all []byte) error {
	l := &s.launches
	if len(list) < leastRun {
		return s.launchAll(list)
	}
	key := maphash.Bytes(seed, all)
	before := l.known[key]
	if before == nil || !bytes.Equal(before.bytes, all) {
		if l.known == nil || len(l.known) == mostRuns {
			s.forget()
		}
		l.known[key] = &run{bytes: slices.Clone(all)}
		return s.launchAll(list)
	}
	if before.graph == nil {
		err := s.d.do(func() (err error) {
			before.graph, err = driver.Capture(s.s, func() error { return s.launchAll(list) })
			return failed("capture launches", err)
		})
		if err != nil {
			return err
		}
	}
	return failed("launch a graph", before.graph.Launch(s.d.ctx, s.s))
}

// launchAll launches one after the other.
func (s *stream) launchAll(list []work) error {
	l := &s.launches
	for _, w := range list {
		if w.plan != nil {
			if err := s.d.do(func() error { return failed("multiply", s.d.lt.Run(w.plan, w.operands, s.s)) }); err != nil {
				return err
			}
			continue
		}
		a := driver.Arguments{Values: l.bytes[w.from:w.to], Offsets: l.places[w.first:w.last]}
		if err := driver.Launch(s.d.ctx, w.f, w.s.grid, [2]int{w.s.threads, 1}, w.s.shared, s.s, a); err != nil {
			return failed("launch "+w.name, err)
		}
	}
	return nil
}

// forget frees all graphs.
func (s *stream) forget() {
	for _, r := range s.launches.known {
		if r.graph != nil {
			r.graph.Free()
		}
	}
	s.launches.known = map[uint64]*run{}
}

// multiply adds a product of cuBLASLt.
func (s *stream) multiply(plan *driver.LtPlan, o driver.LtOperands) error {
	return s.enqueue(work{name: "cuBLASLt", plan: plan, operands: o}, func(l *launches) error {
		l.bytes = appendBytes(appendBytes(l.bytes, &plan), &o)
		return nil
	})
}

func appendBytes[T any](to []byte, v *T) []byte {
	return append(to, unsafe.Slice((*byte)(unsafe.Pointer(v)), unsafe.Sizeof(*v))...)
}

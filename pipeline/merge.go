package pipeline

// The merge: sorted sources to one sorted stream, a heap of their next records. Equal keys come in the order of the
// sources. Too many sources are first merged into fewer, in scratch files.

import (
	"bufio"
	"bytes"
	"io"
)

// fanIn is the number of sources that are open at once: each takes about 200 KiB of memory.
const fanIn = 64

func newBufferedWriter(w io.Writer) *bufio.Writer { return bufio.NewWriterSize(w, 256<<10) }

// merge is a sorted stream over several sources.
type merge struct {
	heap    []mergeSource
	key     []byte // of the current record; valid until the next call of next
	value   []byte
	started bool
	held    bool // peeked: the current record is to be given again
	scratch []*scratchShard
}

type mergeSource struct {
	*records
	order int
}

// source opens one sorted stream; the merge closes it.
type source func() (*records, error)

// newMerge opens a merge of sources; more than fanIn of them are brought down to that by way of scratch files.
func newMerge(sources []source, scratch string) (_ *merge, err error) {
	var spilled []*scratchShard
	defer func() {
		if err != nil {
			for _, s := range spilled {
				s.close()
			}
		}
	}()
	for len(sources) > fanIn {
		var fewer []source
		for len(sources) > 0 {
			group := sources[:min(fanIn, len(sources))]
			sources = sources[len(group):]
			inner, err := openMerge(group)
			if err != nil {
				return nil, err
			}
			out, err := newScratch(scratch, 1, func(w *shardWriter) error { return inner.copyTo(w, 0) })
			inner.close()
			if err != nil {
				return nil, err
			}
			spilled = append(spilled, out)
			fewer = append(fewer, func() (*records, error) { return out.partition(0), nil })
		}
		sources = fewer
	}
	m, err := openMerge(sources)
	if err != nil {
		return nil, err
	}
	m.scratch = spilled
	return m, nil
}

func openMerge(sources []source) (*merge, error) {
	m := &merge{}
	for i, open := range sources {
		r, err := open()
		if err == nil {
			m.heap = append(m.heap, mergeSource{r, i})
			var more bool
			if more, err = r.next(); err == nil && !more {
				r.close()
				m.heap = m.heap[:len(m.heap)-1]
			}
		}
		if err != nil {
			m.close()
			return nil, err
		}
	}
	for i := len(m.heap)/2 - 1; i >= 0; i-- {
		m.down(i)
	}
	return m, nil
}

// copyTo writes all that is left to a partition.
func (m *merge) copyTo(w *shardWriter, partition int) error {
	for {
		more, err := m.next()
		if !more || err != nil {
			return err
		}
		if err := w.put(partition, m.key, m.value); err != nil {
			return err
		}
	}
}

// next moves to the next record.
func (m *merge) next() (bool, error) {
	if m.held {
		m.held = false
		return true, nil
	}
	if m.started && len(m.heap) > 0 {
		more, err := m.heap[0].next()
		if err != nil {
			return false, err
		}
		if !more {
			m.heap[0].close()
			last := len(m.heap) - 1
			m.heap[0] = m.heap[last]
			m.heap = m.heap[:last]
		}
		m.down(0)
	}
	m.started = true
	if len(m.heap) == 0 {
		m.key, m.value = nil, nil
		return false, nil
	}
	m.key, m.value = m.heap[0].key, m.heap[0].value
	return true, nil
}

// back makes the next call of next give the current record again.
func (m *merge) back() { m.held = true }

func (m *merge) less(i, j int) bool {
	if c := bytes.Compare(m.heap[i].key, m.heap[j].key); c != 0 {
		return c < 0
	}
	return m.heap[i].order < m.heap[j].order
}

func (m *merge) down(i int) {
	for {
		child := 2*i + 1
		if child >= len(m.heap) {
			return
		}
		if child+1 < len(m.heap) && m.less(child+1, child) {
			child++
		}
		if !m.less(child, i) {
			return
		}
		m.heap[i], m.heap[child] = m.heap[child], m.heap[i]
		i = child
	}
}

// close closes the sources that are still open and removes the scratch files.
func (m *merge) close() {
	for _, s := range m.heap {
		s.close()
	}
	m.heap = nil
	for _, s := range m.scratch {
		s.close()
	}
	m.scratch = nil
}

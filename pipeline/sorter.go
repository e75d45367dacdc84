package pipeline

// The external sort: records go in in any order and come out by (partition, key, order of arrival). What does not fit
// into memory is spilled to a nameless file that disappears with the process.

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"
)

// sorter gathers the records of one output of a task.
type sorter struct {
	partitions int
	scratch    string
	arena      []byte
	refs       []sortRef
	spills     []*scratchShard
}

// sortRef is a record in the arena; prefix is the start of its key, so that most comparisons need no more.
type sortRef struct {
	prefix    uint64
	at        int
	partition uint32
	klen      uint32
	vlen      uint32
}

const sortRefBytes = 32

func newSorter(partitions int, scratch string) *sorter {
	return &sorter{partitions: partitions, scratch: scratch}
}

// size is what the sorter holds in memory.
func (s *sorter) size() int64 { return int64(cap(s.arena)) + int64(cap(s.refs))*sortRefBytes }

// add copies a record.
func (s *sorter) add(partition int, key, value []byte) {
	ref := sortRef{at: len(s.arena), partition: uint32(partition), klen: uint32(len(key)), vlen: uint32(len(value))}
	var prefix [8]byte
	copy(prefix[:], key)
	ref.prefix = binary.BigEndian.Uint64(prefix[:])
	s.arena = append(append(s.arena, key...), value...)
	s.refs = append(s.refs, ref)
}

func (s *sorter) key(r sortRef) []byte   { return s.arena[r.at : r.at+int(r.klen)] }
func (s *sorter) value(r sortRef) []byte { return s.arena[r.at+int(r.klen):][:r.vlen] }

func (s *sorter) sort() {
	slices.SortFunc(s.refs, func(a, b sortRef) int {
		switch {
		case a.partition != b.partition:
			return int(a.partition) - int(b.partition)
		case a.prefix != b.prefix:
			if a.prefix < b.prefix {
				return -1
			}
			return 1
		}
		if c := bytes.Compare(s.key(a), s.key(b)); c != 0 {
			return c
		}
		return a.at - b.at // the arena is in the order of arrival
	})
}

// spill moves what is in memory to a scratch file.
func (s *sorter) spill() error {
	if len(s.refs) == 0 {
		return nil
	}
	s.sort()
	out, err := newScratch(s.scratch, s.partitions, func(w *shardWriter) error { return s.writeMemory(w) })
	if err != nil {
		return err
	}
	s.spills = append(s.spills, out)
	s.arena, s.refs = nil, nil
	return nil
}

func (s *sorter) writeMemory(w *shardWriter) error {
	for _, r := range s.refs {
		if err := w.put(int(r.partition), s.key(r), s.value(r)); err != nil {
			return err
		}
	}
	return nil
}

// finish writes everything in order and gives the memory back.
func (s *sorter) finish(w *shardWriter) error {
	defer s.drop()
	s.sort()
	if len(s.spills) == 0 {
		return s.writeMemory(w)
	}
	if err := s.spill(); err != nil {
		return err
	}
	for p := range s.partitions {
		var sources []source
		for _, spill := range s.spills {
			if spill.spans[p].Records > 0 {
				sources = append(sources, func() (*records, error) { return spill.partition(p), nil })
			}
		}
		m, err := newMerge(sources, s.scratch)
		if err != nil {
			return err
		}
		err = m.copyTo(w, p)
		m.close()
		if err != nil {
			return err
		}
	}
	return nil
}

// drop forgets everything; a sorter that was not finished must be dropped.
func (s *sorter) drop() {
	for _, spill := range s.spills {
		spill.close()
	}
	s.arena, s.refs, s.spills = nil, nil, nil
}

// scratchShard is a shard in a nameless file.
type scratchShard struct {
	*shard
	file *os.File
}

func newScratch(dir string, partitions int, fill func(*shardWriter) error) (_ *scratchShard, err error) {
	f, err := os.CreateTemp(dir, "mmc4-spill-")
	if err != nil {
		return nil, fmt.Errorf("scratch file: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	os.Remove(f.Name()) // where a file in use cannot be removed, close does it
	buffered := newBufferedWriter(f)
	w, err := newShardWriter(buffered, partitions)
	if err != nil {
		return nil, fmt.Errorf("scratch file: %w", err)
	}
	if err := fill(w); err != nil {
		return nil, err
	}
	if err := w.close(); err != nil {
		return nil, fmt.Errorf("scratch file: %w", err)
	}
	if err := buffered.Flush(); err != nil {
		return nil, fmt.Errorf("scratch file: %w", err)
	}
	size, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, fmt.Errorf("scratch file: %w", err)
	}
	s, err := openShard(f, size, f.Name())
	if err != nil {
		return nil, err
	}
	return &scratchShard{s, f}, nil
}

func (s *scratchShard) close() {
	s.file.Close()
	os.Remove(s.file.Name())
}

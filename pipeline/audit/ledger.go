package audit

// The ledger: entries that belong together come together, whatever files they stand in. Entries are dealt to buckets by
// key, in memory while they are few and in files when they are many; then bucket by bucket is sorted and read in groups.

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// entry is one line of the ledger.
type entry struct {
	Key           [16]byte
	Kind          byte
	Flags         byte
	Part          uint32
	Row           uint32
	Facts         uint64 // a hash of what must be equal
	PHash         uint64
	Width, Height uint32
	Value         float64
}

const entryBytes = 16 + 2 + 4 + 4 + 8 + 8 + 4 + 4 + 8

func (e *entry) append(b []byte) []byte {
	b = append(append(b, e.Key[:]...), e.Kind, e.Flags)
	for _, v := range []uint32{e.Part, e.Row, e.Width, e.Height} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	for _, v := range []uint64{e.Facts, e.PHash, math.Float64bits(e.Value)} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return b
}

func (e *entry) read(b []byte) {
	e.Key = [16]byte(b)
	e.Kind, e.Flags = b[16], b[17]
	for i, v := range []*uint32{&e.Part, &e.Row, &e.Width, &e.Height} {
		*v = binary.LittleEndian.Uint32(b[18+4*i:])
	}
	e.Facts, e.PHash = binary.LittleEndian.Uint64(b[34:]), binary.LittleEndian.Uint64(b[42:])
	e.Value = math.Float64frombits(binary.LittleEndian.Uint64(b[50:]))
}

const (
	ledgerBuckets = 256
	bucketBytes   = 64 << 10 // what a bucket holds in memory before it goes to its file
)

type ledger struct {
	dir     string // made when the first bucket overflows
	mu      sync.Mutex
	buckets [ledgerBuckets]bucket
}

type bucket struct {
	mu   sync.Mutex
	held []byte
	file *os.File
}

// add may be called from many goroutines.
func (l *ledger) add(e *entry) error {
	b := &l.buckets[e.Key[0]]
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.held)+entryBytes > bucketBytes {
		if err := l.spill(b, int(e.Key[0])); err != nil {
			return err
		}
	}
	b.held = e.append(b.held)
	return nil
}

func (l *ledger) spill(b *bucket, n int) (err error) {
	if b.file == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.dir == "" {
			if l.dir, err = os.MkdirTemp("", "mmc4-verify-*"); err != nil {
				return fmt.Errorf("verify needs room for temporary files (TMPDIR): %w", err)
			}
		}
		if b.file, err = os.Create(filepath.Join(l.dir, fmt.Sprintf("%03d", n))); err != nil {
			return err
		}
	}
	_, err = b.file.Write(b.held)
	b.held = b.held[:0]
	return err
}

// groups calls f for all entries of every key, in the order of Kind, Part and Row. Nothing is added any more.
func (l *ledger) groups(f func(group []entry) error) error {
	for i := range l.buckets {
		entries, err := l.buckets[i].all()
		if err != nil {
			return err
		}
		for start := 0; start < len(entries); {
			end := start + 1
			for end < len(entries) && entries[end].Key == entries[start].Key {
				end++
			}
			if err := f(entries[start:end]); err != nil {
				return err
			}
			start = end
		}
	}
	return nil
}

// all reads a bucket and sorts it.
func (b *bucket) all() ([]entry, error) {
	var data []byte
	if b.file != nil {
		var err error
		if data, err = os.ReadFile(b.file.Name()); err != nil {
			return nil, err
		}
	}
	data = append(data, b.held...)
	b.held = nil
	entries := make([]entry, len(data)/entryBytes)
	for i := range entries {
		entries[i].read(data[i*entryBytes:])
	}
	slices.SortFunc(entries, func(x, y entry) int {
		return cmp.Or(bytes.Compare(x.Key[:], y.Key[:]), cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Part, y.Part), cmp.Compare(x.Row, y.Row),
			cmp.Compare(x.Facts, y.Facts))
	})
	return entries, nil
}

// close removes the files.
func (l *ledger) close() {
	for i := range l.buckets {
		if f := l.buckets[i].file; f != nil {
			f.Close()
		}
	}
	if l.dir != "" {
		os.RemoveAll(l.dir)
	}
}

package weights

// PyTorch's files before 1.6: five pickles (magic number, protocol, system, the object, the storage keys), then for every
// key the number of elements (8 bytes) and the elements.

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
)

const legacyMagic = "119547037146038801333356" // 0x1950a86a20f9469cfc6c

func openTorchLegacy(src *source) (*File, error) {
	b, err := src.bytes(0, src.size)
	if err != nil {
		return nil, err
	}
	l := legacy{src: src, rest: b, storages: map[string]*storage{}}
	if err := l.preamble(); err != nil {
		return nil, fmt.Errorf("%s: %w", src.name, err)
	}
	value, err := l.next(l.storage)
	if err == nil {
		err = l.place()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", src.name, err)
	}
	f := newFile(src.name)
	f.sources = []*source{src}
	return f, f.addState(value, len(b))
}

// legacy is such a file while it is read.
type legacy struct {
	src      *source
	rest     []byte
	storages map[string]*storage // by key
}

// next reads a pickle.
func (l *legacy) next(resolve func(Tuple) (*storage, error)) (any, error) {
	v, n, err := unpickle(l.rest, resolve)
	l.rest = l.rest[n:]
	return v, err
}

// preamble reads magic number, protocol and system.
func (l *legacy) preamble() error {
	magic, err := l.next(nil)
	if err != nil {
		return err
	}
	if n, ok := magic.(*big.Int); !ok || n.String() != legacyMagic {
		return errors.New("it is a pickle, but not of torch.save")
	}
	version, err := l.next(nil)
	if err != nil {
		return err
	}
	if n, ok := version.(int64); !ok || n != 1001 {
		return fmt.Errorf("torch.save format %d is unknown", n)
	}
	system, err := l.next(nil)
	if err != nil {
		return err
	}
	if d, ok := system.(*Dict); ok && d.Get("little_endian") == false {
		return errors.New("it was saved on a big-endian machine; convert it to safetensors there")
	}
	return nil
}

// storage makes what the object refers to; where it lies is known when the list of keys was read.
func (l *legacy) storage(id Tuple) (*storage, error) {
	dtype, key, count, err := storageID(id)
	if err != nil {
		return nil, err
	}
	if len(id) >= 6 && id[5] != nil {
		return nil, fmt.Errorf("the storage %q is a view of another, which only very old PyTorch wrote; save it again", key)
	}
	s := l.storages[key]
	if s == nil {
		s = &storage{dtype: dtype, count: count, limit: l.src.size}
		l.storages[key] = s
	}
	if s.dtype != dtype || s.count != count {
		return nil, fmt.Errorf("the storage %q is described in two ways", key)
	}
	return s, nil
}

// place reads the list of keys and finds the elements of each storage behind it.
func (l *legacy) place() error {
	keys, err := l.next(nil)
	if err != nil {
		return err
	}
	list, ok := keys.(*List)
	if !ok {
		return errors.New("it has no list of storages")
	}
	place := l.src.size - int64(len(l.rest))
	for _, k := range list.Items {
		key, _ := k.(string)
		s := l.storages[key]
		if s == nil || s.read != nil {
			return fmt.Errorf("the storage %q is not used, or listed twice", key)
		}
		if l.src.size-place < 8 {
			return fmt.Errorf("it ends before the storage %q: it is cut short", key)
		}
		head, err := l.src.bytes(place, 8)
		if err != nil {
			return err
		}
		count, width := binary.LittleEndian.Uint64(head), uint64(s.dtype.Size())
		if count != uint64(s.count) || count > uint64(l.src.size-place-8)/width {
			return fmt.Errorf("the storage %q should have %d elements, the file gives it %d: damaged or cut short; fetch it again", key, s.count, count)
		}
		from, size := place+8, int64(count*width)
		s.read = func(off, n int64) ([]byte, error) { return l.src.bytes(from+off, n) }
		place = from + size
	}
	for key, s := range l.storages {
		if s.read == nil {
			return fmt.Errorf("the storage %q is missing", key)
		}
	}
	return nil
}

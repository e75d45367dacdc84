package weights

// PyTorch's files before 1.6: five pickles (magic number, protocol, system, the object, the storage keys), then for every
// key the number of elements (8 bytes) and the elements.

import (
	"encoding/binary"
	"fmt"
	"math/big"
)

const legacyMagic = "119547037146038801333356" // 0x1950a86a20f9469cfc6c

func openTorchLegacy(src *source) (*File, error) {
	b, err := src.bytes(0, src.size)
	if err != nil {
		return nil, err
	}
	fail := func(err error) (*File, error) { return nil, fmt.Errorf("%s: %w", src.name, err) }
	at := 0
	next := func(resolve func(Tuple) (*storage, error)) (any, error) {
		v, n, err := unpickle(b[at:], resolve)
		at += n
		return v, err
	}
	magic, err := next(nil)
	if err != nil {
		return fail(err)
	}
	if n, ok := magic.(*big.Int); !ok || n.String() != legacyMagic {
		return nil, fmt.Errorf("%s is a pickle, but not of torch.save", src.name)
	}
	version, err := next(nil)
	if err != nil {
		return fail(err)
	}
	if n, ok := version.(int64); !ok || n != 1001 {
		return nil, fmt.Errorf("%s: torch.save format %d is unknown", src.name, n)
	}
	system, err := next(nil)
	if err != nil {
		return fail(err)
	}
	if d, ok := system.(*Dict); ok && d.Get("little_endian") == false {
		return nil, fmt.Errorf("%s was saved on a big-endian machine; convert it to safetensors there", src.name)
	}
	storages := map[string]*storage{}
	value, err := next(func(id Tuple) (*storage, error) {
		dtype, key, count, err := storageID(id)
		if err != nil {
			return nil, err
		}
		if len(id) >= 6 && id[5] != nil {
			return nil, fmt.Errorf("the storage %q is a view of another, which only very old PyTorch wrote; save it again", key)
		}
		s := storages[key]
		if s == nil {
			s = &storage{dtype: dtype, count: count, limit: src.size}
			storages[key] = s
		}
		if s.dtype != dtype || s.count != count {
			return nil, fmt.Errorf("the storage %q is described in two ways", key)
		}
		return s, nil
	})
	if err != nil {
		return fail(err)
	}
	keys, err := next(nil)
	if err != nil {
		return fail(err)
	}
	list, ok := keys.(*List)
	if !ok {
		return nil, fmt.Errorf("%s has no list of storages", src.name)
	}
	place := int64(at)
	for _, k := range list.Items {
		key, _ := k.(string)
		s := storages[key]
		if s == nil || s.read != nil {
			return nil, fmt.Errorf("%s: the storage %q is not used, or listed twice", src.name, key)
		}
		head, err := src.bytes(place, 8)
		if err != nil {
			return nil, err
		}
		count, width := binary.LittleEndian.Uint64(head), uint64(s.dtype.Size())
		if count != uint64(s.count) || count > uint64(src.size-place-8)/width {
			return nil, fmt.Errorf("%s: the storage %q should have %d elements, the file gives it %d: damaged or cut short; fetch it again", src.name, key, s.count, count)
		}
		from, size := place+8, int64(count*width)
		s.read = func(off, n int64) ([]byte, error) { return src.bytes(from+off, n) }
		place = from + size
	}
	for key, s := range storages {
		if s.read == nil {
			return nil, fmt.Errorf("%s: the storage %q is missing", src.name, key)
		}
	}
	f := newFile(src.name)
	f.sources = []*source{src}
	return f, f.addState(value, len(b))
}

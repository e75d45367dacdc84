package weights

// PyTorch's zip archives (torch.save since 1.6, TorchScript): NAME/data.pkl and NAME/data/KEY, stored without compression.

import (
	"archive/zip"
	"fmt"
	"hash/crc32"
	"path"
)

func openTorchZip(src *source) (*File, error) {
	archive, err := zip.NewReader(src, src.size)
	if err != nil {
		return nil, fmt.Errorf("%s: the zip archive is damaged or cut short (fetch it again): %w", src.name, err)
	}
	members := make(map[string]*zip.File, len(archive.File))
	var root string
	for _, m := range archive.File {
		members[m.Name] = m
		if dir, name := path.Split(m.Name); name == "data.pkl" && (root == "" || len(dir) < len(root)) {
			root = dir
		}
	}
	pickled := members[root+"data.pkl"]
	if pickled == nil {
		return nil, fmt.Errorf("%s is a zip archive without data.pkl: no PyTorch file", src.name)
	}
	if order := members[root+"byteorder"]; order != nil {
		if b, err := member(src, order); err == nil && string(b) == "big" {
			return nil, fmt.Errorf("%s was saved on a big-endian machine; convert it to safetensors there", src.name)
		}
	}
	program, err := member(src, pickled)
	if err != nil {
		return nil, err
	}
	if crc32.ChecksumIEEE(program) != pickled.CRC32 {
		return nil, fmt.Errorf("%s: data.pkl does not match its checksum: the file is damaged", src.name)
	}
	value, _, err := unpickle(program, func(id Tuple) (*storage, error) {
		dtype, key, count, err := storageID(id)
		if err != nil {
			return nil, err
		}
		m := members[root+"data/"+key]
		if m == nil {
			return nil, fmt.Errorf("the storage %q is not in the archive", key)
		}
		if size := m.UncompressedSize64; size/uint64(dtype.Size()) < uint64(count) {
			return nil, fmt.Errorf("the storage %q has %d bytes, too few for %d elements of %s", key, size, count, dtype)
		}
		at, err := memberAt(src, m)
		if err != nil {
			return nil, err
		}
		read := func(off, n int64) ([]byte, error) { return src.bytes(at+off, n) }
		return &storage{dtype: dtype, count: count, limit: src.size, read: read}, nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", src.name, err)
	}
	f := newFile(src.name)
	f.sources = []*source{src}
	return f, f.addState(value, len(program))
}

// memberAt says where the bytes of an archive member begin. They must be stored as they are: PyTorch never compresses, and
// so no archive can unpack to more than its own size.
func memberAt(src *source, m *zip.File) (int64, error) {
	if m.Method != zip.Store || m.Flags&1 != 0 || m.CompressedSize64 != m.UncompressedSize64 {
		return 0, fmt.Errorf("the member %q is compressed or encrypted, which PyTorch never does", m.Name)
	}
	at, err := m.DataOffset()
	if err != nil {
		return 0, fmt.Errorf("member %q: %w", m.Name, err)
	}
	if at < 0 || at > src.size || m.UncompressedSize64 > uint64(src.size-at) {
		return 0, fmt.Errorf("the member %q is larger than the file", m.Name)
	}
	return at, nil
}

// member gives the bytes of an archive member.
func member(src *source, m *zip.File) ([]byte, error) {
	at, err := memberAt(src, m)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", src.name, err)
	}
	return src.bytes(at, int64(m.UncompressedSize64))
}

// stateKeys are the usual names of the model's weights inside a training checkpoint.
var stateKeys = []string{"model_state_dict", "state_dict", "model", "module", "net"}

// addState makes the tensors of the root object known by their names: those of the model's state dict where the root is a
// training checkpoint, otherwise everything, nested names joined by dots.
//
// Objects can be shared inside a pickle, so that a short one describes an endless tree: no more is walked than the pickle
// has bytes.
func (f *File) addState(value any, pickleBytes int) error {
	f.value = value
	state := value
	if root, ok := value.(*Dict); ok {
		for _, key := range stateKeys {
			if inner, ok := root.Get(key).(*Dict); ok && len(inner.Keys) > 0 {
				state = inner
				break
			}
		}
	}
	budget := pickleBytes
	if err := f.addTensors("", state, 0, &budget); err != nil {
		return err
	}
	f.finish()
	return nil
}

const (
	maxNesting   = 64
	maxNameBytes = 4096
)

func (f *File) addTensors(name string, v any, depth int, budget *int) error {
	if *budget--; *budget < 0 || depth > maxNesting || len(name) > maxNameBytes {
		return fmt.Errorf("%s: the objects in the pickle are nested too deeply or without end", f.Path)
	}
	join := func(key any) string {
		s := fmt.Sprint(key)
		if name == "" {
			return s
		}
		return name + "." + s
	}
	switch v := v.(type) {
	case *Ref:
		return f.add(&entry{name: name, dtype: v.DType, shape: v.Shape, load: v.load})
	case *Dict:
		for i, key := range v.Keys {
			if !simpleKey(key) {
				continue
			}
			if err := f.addTensors(join(key), v.Values[i], depth+1, budget); err != nil {
				return err
			}
		}
	case *List:
		return f.addItems(join, v.Items, depth, budget)
	case Tuple:
		return f.addItems(join, v, depth, budget)
	}
	return nil
}

func (f *File) addItems(join func(any) string, items []any, depth int, budget *int) error {
	for i, item := range items {
		if err := f.addTensors(join(i), item, depth+1, budget); err != nil {
			return err
		}
	}
	return nil
}

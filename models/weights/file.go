package weights

// File: the tensors of one model, from one file or several shards. Reads through source.

import (
	"errors"
	"fmt"
	"sort"
	"strings"
	"unsafe"
)

// entry says where one tensor lies.
type entry struct {
	name  string
	dtype DType
	shape []int
	load  func() ([]byte, error) // contiguous bytes
}

// File is an open set of weights. Its methods may be called from several goroutines; Close must come last.
type File struct {
	Path string // as opened; the index or folder when sharded

	entries  map[string]*entry
	names    []string // sorted
	metadata map[string]string
	value    any // the root object of a PyTorch file
	sources  []*source
}

func newFile(path string) *File {
	return &File{Path: path, entries: map[string]*entry{}, metadata: map[string]string{}}
}

func (f *File) add(e *entry) error {
	if f.entries[e.name] != nil {
		return fmt.Errorf("%s: the tensor %q is there twice", f.Path, e.name)
	}
	f.entries[e.name] = e
	return nil
}

func (f *File) finish() *File {
	f.names = make([]string, 0, len(f.entries))
	for name := range f.entries {
		f.names = append(f.names, name)
	}
	sort.Strings(f.names)
	return f
}

// Close releases the file; tensors that were not cloned must not be used any more.
func (f *File) Close() error {
	var all error
	for _, s := range f.sources {
		if s.close != nil {
			all = errors.Join(all, s.close())
		}
	}
	f.sources = nil
	return all
}

// Names lists the tensors, sorted. The caller must not change it.
func (f *File) Names() []string { return f.names }

// Has says whether there is a tensor of that name.
func (f *File) Has(name string) bool { return f.entries[name] != nil }

// Info gives a tensor's type and shape without touching its bytes.
func (f *File) Info(name string) (dtype DType, shape []int, ok bool) {
	e := f.entries[name]
	if e == nil {
		return "", nil, false
	}
	return e.dtype, e.shape, true
}

// Metadata is the safetensors __metadata__ (of the first shard that has a key), or the index's; never nil.
func (f *File) Metadata() map[string]string { return f.metadata }

// Value is the object that a PyTorch file holds, as plain Go values (see Dict, List, Tuple, Ref): the way to epoch numbers
// and optimizer states. It is nil for safetensors.
func (f *File) Value() any { return f.value }

// Tensor gives a tensor by name.
func (f *File) Tensor(name string) (Tensor, error) {
	e := f.entries[name]
	if e == nil {
		return Tensor{}, f.missing(name)
	}
	data, err := e.load()
	if err != nil {
		return Tensor{}, fmt.Errorf("%s: tensor %q: %w", f.Path, name, err)
	}
	return Tensor{Name: name, DType: e.dtype, Shape: e.shape, Data: data}, nil
}

// Release says that a tensor's bytes are not needed for now, say because the device has made its own arrangement of them:
// a mapped file's pages leave memory. The tensor can still be read. What was written into its bytes is lost.
func (f *File) Release(name string) {
	e := f.entries[name]
	if e == nil {
		return
	}
	for _, s := range f.sources {
		if s.mapped == nil {
			continue
		}
		if data, err := e.load(); err == nil && within(data, s.mapped) {
			forget(data)
		}
	}
}

// within says whether part lies inside whole, by address.
func within(part, whole []byte) bool {
	if len(part) == 0 || len(whole) == 0 {
		return false
	}
	at := uintptr(unsafe.Pointer(&part[0])) - uintptr(unsafe.Pointer(&whole[0]))
	return at < uintptr(len(whole))
}

// Float32 gives a tensor's elements, converted from any floating-point type.
func (f *File) Float32(name string) ([]float32, error) {
	t, err := f.Tensor(name)
	if err != nil {
		return nil, err
	}
	v, err := t.Float32()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	return v, nil
}

// Int64 gives a tensor's elements, widened from any integer type.
func (f *File) Int64(name string) ([]int64, error) {
	t, err := f.Tensor(name)
	if err != nil {
		return nil, err
	}
	v, err := t.Int64()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	return v, nil
}

// Want gives the tensor after checking its shape; -1 allows any size in that place.
func (f *File) Want(name string, shape ...int) (Tensor, error) {
	e := f.entries[name]
	if e == nil {
		return Tensor{}, f.missing(name)
	}
	same := len(shape) == len(e.shape)
	for i := 0; same && i < len(shape); i++ {
		same = shape[i] == -1 || shape[i] == e.shape[i]
	}
	if !same {
		return Tensor{}, fmt.Errorf("%s: tensor %q has shape %v, but %v was expected: %s", f.Path, name, e.shape, shape, shapeCause(e.shape, shape))
	}
	return f.Tensor(name)
}

// shapeCause guesses why a shape is wrong.
func shapeCause(found, want []int) string {
	nf, _ := Elements(found)
	nw, _ := Elements(want)
	switch {
	case len(found) == 2 && len(want) == 2 && found[0] == want[1] && found[1] == want[0]:
		return "the matrix is stored transposed; the file is of another program (GPT-2's Conv1D and CLIP's proj are [in, out], linear layers [out, in])"
	case nf == nw:
		return "the same number of elements in another form; the file was saved by another program or version"
	case len(found) != len(want):
		return "another kind of layer; is this the file of that model?"
	}
	var differ []int
	for i := range want {
		if want[i] != -1 && want[i] != found[i] {
			differ = append(differ, i)
		}
	}
	if len(differ) == 1 && differ[0] == 0 && found[0] > 8192 {
		return "another vocabulary size; the config or tokenizer does not belong to this file, or its embedding was resized"
	}
	return "the config describes a model of another size than this file"
}

// missing explains what the file has instead.
func (f *File) missing(name string) error {
	hint := "the file is of another model, or only a part of it"
	var near []string
	last := name
	if i := strings.LastIndexByte(strings.TrimSuffix(strings.TrimSuffix(name, ".weight"), ".bias"), '.'); i >= 0 {
		last = name[i+1:]
	}
	for _, n := range f.names {
		if strings.HasSuffix(n, "."+name) || strings.HasSuffix(name, "."+n) {
			near = []string{n}
			break
		}
		if len(near) < 3 && (n == last || strings.HasSuffix(n, "."+last)) {
			near = append(near, n)
		}
	}
	switch {
	case len(f.names) == 0:
		hint = "the file holds no tensors at all"
	case len(near) > 0:
		hint = fmt.Sprintf("it has %q; the names are of another program, or have another prefix", near)
	}
	return &MissingError{Path: f.Path, Name: name, Hint: hint}
}

// MissingError says that a tensor is not there.
type MissingError struct{ Path, Name, Hint string }

func (e *MissingError) Error() string {
	return fmt.Sprintf("%s: no tensor %q: %s", e.Path, e.Name, e.Hint)
}

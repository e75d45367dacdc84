package weights

// Storages of PyTorch files and the tensors that view them. Reads through source when a tensor is asked for.

import (
	"errors"
	"fmt"
	"math"
)

// storage is a run of elements in the file.
type storage struct {
	dtype DType
	count int64                              // elements
	limit int64                              // no tensor made of it may be larger than this many bytes: the size of the file
	read  func(off, n int64) ([]byte, error) // a stretch of its bytes
}

// buildTensor checks (storage, offset, size, stride, ...): every element must lie inside the storage.
func buildTensor(args Tuple) (any, error) {
	if len(args) < 4 {
		return nil, errors.New("a tensor is described too shortly")
	}
	s, ok := args[0].(*storage)
	if !ok {
		return nil, errors.New("a tensor is built on something that is no storage")
	}
	dtype, count := s.dtype, s.count
	if len(args) >= 7 { // _rebuild_tensor_v3 names the element type of an untyped storage
		if d, ok := args[6].(DType); ok {
			dtype, count = d, s.count*int64(s.dtype.Size())/int64(d.Size())
		}
	}
	offset, ok := args[1].(int64)
	size, err1 := integers(args[2])
	stride, err2 := integers(args[3])
	if !ok || err1 != nil || err2 != nil || len(size) != len(stride) {
		return nil, errors.New("a tensor's offset, size and stride do not fit together")
	}
	n, fits := Elements(size)
	if !fits || int64(n) > s.limit/int64(dtype.Size()) {
		return nil, fmt.Errorf("a tensor of shape %v is larger than the file it is in", size)
	}
	if offset < 0 {
		return nil, fmt.Errorf("a tensor begins at the negative offset %d", offset)
	}
	last := offset
	for i, d := range size {
		if stride[i] < 0 {
			return nil, fmt.Errorf("a tensor has the negative stride %d", stride[i])
		}
		if n == 0 || d <= 1 {
			continue
		}
		if int64(stride[i]) > math.MaxInt64/2/int64(d) || last > math.MaxInt64/2 {
			return nil, fmt.Errorf("a tensor of shape %v and stride %v reaches outside its storage", size, stride)
		}
		last += int64(d-1) * int64(stride[i])
	}
	if n > 0 && last >= count {
		return nil, fmt.Errorf("a tensor of shape %v, stride %v and offset %d reaches outside its storage of %d elements", size, stride, offset, count)
	}
	width := int64(dtype.Size())
	return &Ref{DType: dtype, Shape: size, load: func() ([]byte, error) {
		if n == 0 {
			return []byte{}, nil
		}
		data, err := s.read(offset*width, (last-offset+1)*width)
		if err != nil || contiguous(size, stride) {
			return data, err
		}
		return gather(data, size, stride, n, int(width)), nil
	}}, nil
}

// maxDims is PyTorch's own limit.
const maxDims = 64

func integers(v any) ([]int, error) {
	items, ok := v.(Tuple)
	if list, isList := v.(*List); isList {
		items, ok = list.Items, true
	}
	if !ok || len(items) > maxDims {
		return nil, errors.New("a short tuple of integers was expected")
	}
	out := make([]int, len(items))
	for i, item := range items {
		n, ok := item.(int64)
		if !ok || n < 0 || int64(int(n)) != n {
			return nil, errors.New("a size or stride is no count")
		}
		out[i] = int(n)
	}
	return out, nil
}

func contiguous(size, stride []int) bool {
	next := 1
	for i := len(size) - 1; i >= 0; i-- {
		if size[i] != 1 && stride[i] != next {
			return false
		}
		next *= size[i]
	}
	return true
}

// gather copies a strided view into row-major order.
func gather(data []byte, size, stride []int, n, width int) []byte {
	out := make([]byte, 0, n*width)
	index := make([]int, len(size))
	at := 0
	for range n {
		out = append(out, data[at*width:(at+1)*width]...)
		for i := len(size) - 1; i >= 0; i-- {
			index[i]++
			at += stride[i]
			if index[i] < size[i] {
				break
			}
			at -= stride[i] * size[i]
			index[i] = 0
		}
	}
	return out
}

// storageID reads a persistent id: ('storage', type, key, location, elements, ...).
func storageID(id Tuple) (dtype DType, key string, count int64, err error) {
	if len(id) >= 5 {
		kind, _ := id[0].(string)
		class, _ := id[1].(global)
		key, isText := id[2].(string)
		count, isNumber := id[4].(int64)
		dtype, known := storageTypes[class]
		if kind == "storage" && known && isText && isNumber && count >= 0 {
			return dtype, key, count, nil
		}
		if kind == "storage" && !known && class != "" { // what is no class is not printed: nested tuples can be endless
			return "", "", 0, fmt.Errorf("a storage of the type %q cannot be read", string(class))
		}
	}
	return "", "", 0, errors.New("the pickle refers to something outside it that is no tensor storage")
}

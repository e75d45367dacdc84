package weights

// Writing safetensors. The same tensors and metadata always give the same bytes.

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"sort"
)

// Write writes the tensors, sorted by name, with an optional __metadata__. The header is padded with spaces so that the
// data begins at a multiple of 8 (tensors stay aligned as long as their sizes are).
func Write(w io.Writer, tensors []Tensor, metadata map[string]string) error {
	return WriteStream(w, tensors, metadata, func(t Tensor) ([]byte, error) { return t.Data, nil })
}

// WriteStream is Write for tensors that are not in memory together: only Name, DType and Shape are read first, then data
// is called for one after the other in the order of their names.
func WriteStream(w io.Writer, tensors []Tensor, metadata map[string]string, data func(Tensor) ([]byte, error)) error {
	sorted := append([]Tensor(nil), tensors...)
	sort.Slice(sorted, func(i, j int) bool { return sorted[i].Name < sorted[j].Name })
	header, err := makeHeader(sorted, metadata)
	if err != nil {
		return err
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	for _, t := range sorted {
		b, err := data(t)
		if err != nil {
			return fmt.Errorf("weights: tensor %q: %w", t.Name, err)
		}
		n, _ := Elements(t.Shape)
		if len(b) != n*t.DType.Size() {
			return fmt.Errorf("weights: tensor %q: %s %v has %d bytes, %d were given", t.Name, t.DType, t.Shape, n*t.DType.Size(), len(b))
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

func makeHeader(sorted []Tensor, metadata map[string]string) ([]byte, error) {
	type line struct {
		DType   DType    `json:"dtype"`
		Shape   []int    `json:"shape"`
		Offsets [2]int64 `json:"data_offsets"`
	}
	header := append(make([]byte, 8), '{')
	add := func(name string, v any) error {
		key, err := json.Marshal(name)
		if err != nil {
			return err
		}
		value, err := json.Marshal(v)
		if err != nil {
			return err
		}
		if len(header) > 9 {
			header = append(header, ',')
		}
		header = append(append(append(header, key...), ':'), value...)
		return nil
	}
	if len(metadata) > 0 {
		if err := add("__metadata__", metadata); err != nil {
			return nil, err
		}
	}
	var at int64
	for i, t := range sorted {
		n, ok := Elements(t.Shape)
		switch {
		case !ok || t.DType.Size() == 0:
			return nil, fmt.Errorf("weights: tensor %q: %s %v cannot be written", t.Name, t.DType, t.Shape)
		case t.Name == "__metadata__":
			return nil, fmt.Errorf("weights: a tensor cannot be called %q", t.Name)
		case i > 0 && t.Name == sorted[i-1].Name:
			return nil, fmt.Errorf("weights: two tensors are called %q", t.Name)
		}
		end := at + int64(n*t.DType.Size())
		shape := t.Shape
		if shape == nil {
			shape = []int{}
		}
		if err := add(t.Name, line{t.DType, shape, [2]int64{at, end}}); err != nil {
			return nil, err
		}
		at = end
	}
	header = append(header, '}')
	for len(header)%8 != 0 {
		header = append(header, ' ')
	}
	binary.LittleEndian.PutUint64(header, uint64(len(header)-8))
	return header, nil
}

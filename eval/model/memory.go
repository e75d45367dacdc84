package model

import (
	"fmt"
	"os"

	"mmc4/kernels"
)

// remembered bounds what is kept of pictures in memory, in bytes of fp32.
const remembered = 2 << 30

// memory keeps what the model has made of pictures: latents, or the tower's tokens where latents depend on the slot. What does
// not fit goes to a scratch file, so that every picture is encoded once a run: reading it back costs next to nothing beside
// the tower.
type memory struct {
	values map[string][]float32
	order  []string // of what is in memory, the oldest first
	bytes  int
	limit  int // 0: remembered

	file   *os.File
	places map[string]place
	end    int64
}

// place is where a picture's values are in the file.
type place struct {
	offset int64
	size   int
}

func (m *memory) put(name string, v []float32) {
	if m.values == nil {
		m.values = map[string][]float32{}
	}
	m.values[name] = v
	m.order = append(m.order, name)
	m.bytes += 4 * len(v)
}

// want brings pictures into memory and says which have not been seen yet. Others make room for them.
func (m *memory) want(names []string) (missing []string, err error) {
	needed := map[string]bool{}
	for _, name := range names {
		if needed[name] {
			continue
		}
		needed[name] = true
		at, filed := m.places[name]
		if m.values[name] != nil {
			continue
		}
		if !filed {
			missing = append(missing, name)
			continue
		}
		data := make([]byte, at.size)
		if _, err := m.file.ReadAt(data, at.offset); err != nil {
			return nil, fmt.Errorf("features of %s, kept in %s: %w", name, m.file.Name(), err)
		}
		m.put(name, kernels.DecodeFloats(kernels.F32, data))
	}
	return missing, m.shrink(needed)
}

// shrink moves pictures to the file, but none of those that are needed now.
func (m *memory) shrink(needed map[string]bool) error {
	limit := m.limit
	if limit == 0 {
		limit = remembered
	}
	var kept []string
	for i, name := range m.order {
		if m.bytes <= limit {
			kept = append(kept, m.order[i:]...)
			break
		}
		if needed[name] {
			kept = append(kept, name)
			continue
		}
		if err := m.store(name); err != nil {
			return fmt.Errorf("features of pictures do not fit into memory and cannot be kept in a scratch file (set TMPDIR to a folder with room): %w", err)
		}
		m.bytes -= 4 * len(m.values[name])
		delete(m.values, name)
	}
	m.order = kept
	return nil
}

// store writes a picture's values to the file, unless they are there.
func (m *memory) store(name string) (err error) {
	if _, there := m.places[name]; there {
		return nil
	}
	if m.file == nil {
		if m.file, err = os.CreateTemp("", "mmc4-features-*"); err != nil {
			return err
		}
		os.Remove(m.file.Name()) // where a file can be used without a name, it goes with the process
		m.places = map[string]place{}
	}
	data := kernels.EncodeFloats(kernels.F32, m.values[name])
	if _, err := m.file.WriteAt(data, m.end); err != nil {
		return err
	}
	m.places[name] = place{m.end, len(data)}
	m.end += int64(len(data))
	return nil
}

func (m *memory) close() {
	if m.file != nil {
		m.file.Close()
		os.Remove(m.file.Name())
	}
}

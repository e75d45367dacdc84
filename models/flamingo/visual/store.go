package visual

// The store: segments of safetensors, written once. Reads LOCATION/tokens-FINGERPRINT-NNNNNN.safetensors, writes the next
// numbers.

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"
	"strings"

	"mmc4/internal/storage"
	"mmc4/kernels"
	"mmc4/models/weights"
)

// ErrMissing is in the chain when a picture has no tokens in the store, ErrDamaged when they are not what was written.
var (
	ErrMissing = errors.New("no visual tokens")
	ErrDamaged = errors.New("damaged visual tokens")
)

// Kind is what all tokens of a tower have in common.
type Kind struct {
	Fingerprint   string // of the tower, hex
	Tokens, Width int
	DType         kernels.DType // F32 or BF16: the tower's output as it is
}

// Bytes is the size of one picture's tokens.
func (k Kind) Bytes() int { return k.Tokens * k.Width * k.DType.Size() }

// prefix begins the names of a tower's segments.
func (k Kind) prefix() string { return "tokens-" + k.Fingerprint[:16] + "-" }

// Store holds the tokens of pictures for one tower. It is for one goroutine.
type Store struct {
	kind    Kind
	store   storage.Store
	held    []io.Closer
	segment map[Key]*weights.File // where a picture's tokens lie
	pending map[Key][]byte
	last    int // number of the newest segment
}

// segmentBytes is about how large segments become.
const segmentBytes = 128 << 20

// Open reads what a place (a folder, s3://, https://) holds for a tower; a place that is not there yet is empty.
func Open(ctx context.Context, location string, k Kind) (*Store, error) {
	if len(k.Fingerprint) < 16 || k.Bytes() <= 0 {
		return nil, fmt.Errorf("visual tokens: %+v is no kind", k)
	}
	store, err := storage.Open(ctx, location, storage.Options{})
	if err != nil {
		return nil, err
	}
	s := &Store{kind: k, store: store, segment: map[Key]*weights.File{}, pending: map[Key][]byte{}}
	for info, err := range store.List(ctx, k.prefix()) {
		if err == nil {
			err = s.read(ctx, info.Name)
		}
		if err != nil {
			s.Close()
			return nil, fmt.Errorf("visual tokens: %w", err)
		}
	}
	return s, nil
}

// Only is the fingerprint of the one tower whose tokens lie in a place.
func Only(ctx context.Context, location string) (string, error) {
	store, err := storage.Open(ctx, location, storage.Options{})
	if err != nil {
		return "", err
	}
	found := ""
	for info, err := range store.List(ctx, "tokens-") {
		if err != nil {
			return "", err
		}
		begin, _, _ := strings.Cut(strings.TrimPrefix(info.Name, "tokens-"), "-")
		if strings.HasPrefix(found, begin) && found != "" {
			continue
		}
		if found != "" {
			return "", fmt.Errorf("%s holds tokens of the towers %.16s and %.16s; say which by naming its weights", store.Location(""), found, begin)
		}
		o, err := store.Open(ctx, info.Name)
		if err != nil {
			return "", err
		}
		f, err := weights.OpenReaderAt(o, o.Info().Size, store.Location(info.Name))
		if err == nil {
			found = f.Metadata()["fingerprint"]
		}
		o.Close()
		if err != nil {
			return "", err
		}
		if !strings.HasPrefix(found, begin) || begin == "" {
			return "", fmt.Errorf("%s: its fingerprint is %q: not visual tokens", store.Location(info.Name), found)
		}
	}
	if found == "" {
		return "", fmt.Errorf("%w in %s", ErrMissing, store.Location(""))
	}
	return found, nil
}

// read adds a segment. Its tensors are looked at when they are asked for.
func (s *Store) read(ctx context.Context, name string) error {
	number, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(name, s.kind.prefix()), ".safetensors"))
	if err != nil {
		return nil // not one of ours
	}
	o, err := s.store.Open(context.WithoutCancel(ctx), name)
	if err != nil {
		return err
	}
	s.held = append(s.held, o)
	f, err := weights.OpenReaderAt(o, o.Info().Size, s.store.Location(name))
	if err != nil {
		return err
	}
	if found := f.Metadata()["fingerprint"]; found != s.kind.Fingerprint {
		return fmt.Errorf("%s: it is of the tower %.16s, not of %.16s", f.Path, found, s.kind.Fingerprint)
	}
	for _, hex := range f.Names() {
		key, ok := parseKey(hex)
		if !ok {
			return fmt.Errorf("%s: %q is no picture's key", f.Path, hex)
		}
		s.segment[key] = f
	}
	s.last = max(s.last, number)
	return nil
}

func parseKey(hex string) (key Key, ok bool) {
	if len(hex) != 2*len(key) {
		return key, false
	}
	for i := range key {
		v, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			return key, false
		}
		key[i] = byte(v)
	}
	return key, true
}

// Len is the number of pictures whose tokens are there.
func (s *Store) Len() int { return len(s.segment) + len(s.pending) }

// Location is where it lies.
func (s *Store) Location() string { return s.store.Location("") }

// types of weights files by those of kernels.
var types = map[kernels.DType]weights.DType{kernels.F32: weights.F32, kernels.BF16: weights.BF16}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(data []byte) string { return fmt.Sprintf("%08x", crc32.Checksum(data, castagnoli)) }

// Get gives a picture's tokens, little-endian elements of the kind's type.
func (s *Store) Get(key Key) ([]byte, error) {
	if data, ok := s.pending[key]; ok {
		return data, nil
	}
	f, ok := s.segment[key]
	if !ok {
		return nil, fmt.Errorf("%w of picture %.16s of the tower %.16s in %s", ErrMissing, key, s.kind.Fingerprint, s.Location())
	}
	t, err := f.Want(key.String(), s.kind.Tokens, s.kind.Width)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	case t.DType != types[s.kind.DType]:
		return nil, fmt.Errorf("%w: %s: picture %.16s is %s, not %s", ErrDamaged, f.Path, key, t.DType, types[s.kind.DType])
	case checksum(t.Data) != f.Metadata()[t.Name]:
		return nil, fmt.Errorf("%w: %s: the checksum of picture %.16s is not the one it was written with", ErrDamaged, f.Path, key)
	}
	return t.Data, nil
}

// Put keeps a picture's tokens; what was there before is forgotten. Flush makes them last.
func (s *Store) Put(key Key, tokens []byte) error {
	if len(tokens) != s.kind.Bytes() {
		return fmt.Errorf("visual tokens: picture %.16s has %d bytes, not %d", key, len(tokens), s.kind.Bytes())
	}
	delete(s.segment, key)
	s.pending[key] = tokens
	return nil
}

// Full says that enough is waiting for a segment.
func (s *Store) Full() bool { return len(s.pending)*s.kind.Bytes() >= segmentBytes }

// Flush writes what waits as a segment.
func (s *Store) Flush(ctx context.Context) error {
	if len(s.pending) == 0 {
		return nil
	}
	metadata := map[string]string{"format": "pt", "fingerprint": s.kind.Fingerprint}
	var tensors []weights.Tensor
	for key, data := range s.pending {
		t := weights.Tensor{Name: key.String(), DType: types[s.kind.DType], Shape: []int{s.kind.Tokens, s.kind.Width}, Data: data}
		tensors, metadata[t.Name] = append(tensors, t), checksum(data)
	}
	for {
		name := fmt.Sprintf("%s%06d.safetensors", s.kind.prefix(), s.last+1)
		err := s.write(ctx, name, tensors, metadata)
		switch {
		case errors.Is(err, storage.ErrExist): // another training writes here too
			s.last++
			continue
		case err != nil:
			return fmt.Errorf("visual tokens: %w", err)
		}
		clear(s.pending)
		return s.read(ctx, name)
	}
}

func (s *Store) write(ctx context.Context, name string, tensors []weights.Tensor, metadata map[string]string) error {
	w, err := s.store.Create(ctx, name, storage.CreateOptions{Exclusive: true})
	if err != nil {
		return err
	}
	defer w.Abort()
	if err := weights.Write(w, tensors, metadata); err != nil {
		return err
	}
	return w.Commit(ctx)
}

// Close closes the segments; what was not flushed is lost.
func (s *Store) Close() error {
	var errs []error
	for _, o := range s.held {
		errs = append(errs, o.Close())
	}
	return errors.Join(errs...)
}

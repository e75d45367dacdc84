package pipeline

// The encoding of keys and values in work shards. Keys compare as bytes in the order that the program wants; values are
// varints and length-prefixed bytes. A value that was cut or damaged gives an error, never a panic.

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
)

// enc builds a value by appending.
type enc struct{ b []byte }

func (e *enc) u(v uint64)       { e.b = binary.AppendUvarint(e.b, v) }
func (e *enc) i(v int64)        { e.b = binary.AppendVarint(e.b, v) }
func (e *enc) bool(v bool)      { e.b = append(e.b, map[bool]byte{true: 1}[v]) }
func (e *enc) f64(v float64)    { e.b = binary.LittleEndian.AppendUint64(e.b, math.Float64bits(v)) }
func (e *enc) f32(v float32)    { e.b = binary.LittleEndian.AppendUint32(e.b, math.Float32bits(v)) }
func (e *enc) u64(v uint64)     { e.b = binary.LittleEndian.AppendUint64(e.b, v) }
func (e *enc) time(t time.Time) { e.i(t.UnixMilli()) }
func (e *enc) str(s string)     { e.u(uint64(len(s))); e.b = append(e.b, s...) }
func (e *enc) bytes(s []byte)   { e.u(uint64(len(s))); e.b = append(e.b, s...) }
func (e *enc) floats(v []float32) {
	e.u(uint64(len(v)))
	for _, f := range v {
		e.f32(f)
	}
}

// optional writes whether there is a value and, if so, the value.
func optional[T any](e *enc, v *T, put func(T)) {
	e.bool(v != nil)
	if v != nil {
		put(*v)
	}
}

var errShortValue = errors.New("a work record is damaged: it ends too early")

// dec reads a value; after the first fault everything is zero and err tells.
type dec struct {
	b   []byte
	err error
}

func (d *dec) fail() {
	d.b = nil
	if d.err == nil {
		d.err = errShortValue
	}
}

func (d *dec) take(n uint64) []byte {
	if n > uint64(len(d.b)) {
		d.fail()
		return nil
	}
	out := d.b[:n]
	d.b = d.b[n:]
	return out
}

func (d *dec) u() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *dec) i() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *dec) bool() bool {
	b := d.take(1)
	return len(b) == 1 && b[0] == 1
}

func (d *dec) u64() uint64 {
	if b := d.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (d *dec) f64() float64 { return math.Float64frombits(d.u64()) }

func (d *dec) f32() float32 {
	if b := d.take(4); b != nil {
		return math.Float32frombits(binary.LittleEndian.Uint32(b))
	}
	return 0
}

func (d *dec) time() time.Time { return time.UnixMilli(d.i()).UTC() }
func (d *dec) str() string     { return string(d.take(d.u())) }

// bytes gives a slice of the value itself, valid as long as that is.
func (d *dec) bytes() []byte { return d.take(d.u()) }

func (d *dec) floats() []float32 {
	n := d.u()
	raw := d.take(4 * min(n, math.MaxUint64/8))
	if raw == nil {
		return nil
	}
	out := make([]float32, n)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return out
}

// count reads a number of elements that follow, each of at least one byte.
func (d *dec) count() int {
	n := d.u()
	if n > uint64(len(d.b)) {
		d.fail()
		return 0
	}
	return int(n)
}

func (d *dec) end() error {
	if d.err == nil && len(d.b) > 0 {
		d.err = fmt.Errorf("a work record is damaged: %d bytes too many", len(d.b))
	}
	return d.err
}

func maybe[T any](d *dec, get func() T) *T {
	if !d.bool() {
		return nil
	}
	v := get()
	return &v
}

// Keys. A text in a key is escaped so that no key is a prefix of another and the order is that of the bytes:
// 0x00 becomes 0x00 0xFF, and 0x00 0x01 ends it.

func keyText(key []byte, s string) []byte {
	for i := range len(s) {
		if s[i] == 0 {
			key = append(key, 0, 0xFF)
		} else {
			key = append(key, s[i])
		}
	}
	return append(key, 0, 1)
}

// textLen is the length of the escaped text that a key starts with, its end included, or -1.
func textLen(key []byte) int {
	for i := 0; i+1 < len(key); i++ {
		if key[i] == 0 {
			if key[i+1] == 1 {
				return i + 2
			}
			i++
		}
	}
	return -1
}

func keyU64(key []byte, v uint64) []byte { return binary.BigEndian.AppendUint64(key, v) }
func keyU32(key []byte, v uint32) []byte { return binary.BigEndian.AppendUint32(key, v) }

// keyTime orders like the time, also before 1970.
func keyTime(key []byte, t time.Time) []byte { return keyU64(key, uint64(t.UnixMilli())^1<<63) }

// hash64 is FNV-1a with a final mix, so that its low bits serve as a partition.
func hash64(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	return h
}

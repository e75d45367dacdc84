package tokenizer

// The memory of words already merged: a table of fixed size that forgets by overwriting. One belongs to one goroutine at a
// time (sync.Pool), so that it needs no lock.

import (
	"encoding/binary"
)

const (
	wordSlots    = 1 << 14
	maxWordBytes = 64 // longer words are merged each time
)

type wordSlot struct {
	hash uint64
	word []byte
	ids  []int32
}

// encoder is the working state of one call.
type encoder struct {
	merger
	slots   []wordSlot
	symbols []int32
}

func newEncoder() *encoder { return &encoder{slots: make([]wordSlot, wordSlots)} }

// hashWord mixes eight bytes at a time.
func hashWord(w []byte) uint64 {
	h := uint64(len(w)) * 0x9e3779b97f4a7c15
	for len(w) >= 8 {
		h = (h ^ binary.LittleEndian.Uint64(w)) * 0xff51afd7ed558ccd
		h ^= h >> 32
		w = w[8:]
	}
	var tail uint64
	for i, b := range w {
		tail |= uint64(b) << (8 * i)
	}
	h = (h ^ tail) * 0xc4ceb9fe1a85ec53
	return h ^ h>>29
}

// find gives the ids of a word if they are remembered.
func (e *encoder) find(w []byte) (ids []int32, hash uint64, ok bool) {
	hash = hashWord(w)
	s := &e.slots[hash%wordSlots]
	if s.hash == hash && string(s.word) == string(w) {
		return s.ids, hash, true
	}
	return nil, hash, false
}

// remember stores them, in the place of whatever was there.
func (e *encoder) remember(w []byte, hash uint64, ids []int32) {
	s := &e.slots[hash%wordSlots]
	s.hash = hash
	s.word = append(s.word[:0], w...)
	s.ids = append(s.ids[:0], ids...)
}

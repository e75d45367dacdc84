package tokenizer

// The memory of words already merged: a table of fixed size that forgets by overwriting. One belongs to one goroutine at a
// time (sync.Pool), so that it needs no lock.

import "encoding/binary"

const (
	wordSlots    = 1 << 14
	maxWordBytes = 22 // longer words, and words of more ids, are merged each time
	maxWordIDs   = 8
)

// wordSlot fills one cache line.
type wordSlot struct {
	hash   uint64
	length uint8 // of word; 0 when the slot is empty
	count  uint8 // of ids
	word   [maxWordBytes]byte
	ids    [maxWordIDs]int32
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

// find gives the slot of a word, and whether it holds that word. Words longer than maxWordBytes have none.
func (e *encoder) find(w []byte) (s *wordSlot, hash uint64, ok bool) {
	if len(w) > maxWordBytes {
		return nil, 0, false
	}
	hash = hashWord(w)
	s = &e.slots[hash%wordSlots]
	return s, hash, s.hash == hash && int(s.length) == len(w) && string(s.word[:s.length]) == string(w)
}

// remember fills the slot that find gave.
func (e *encoder) remember(s *wordSlot, w []byte, hash uint64, ids []int32) {
	if s == nil || len(ids) > maxWordIDs {
		return
	}
	s.hash, s.length, s.count = hash, uint8(len(w)), uint8(len(ids))
	copy(s.word[:], w)
	copy(s.ids[:], ids)
}

// word appends the ids of a word: remembered, or made by merge, whose result is valid until its next call.
func (e *encoder) word(out []int, w []byte, merge func(*encoder, []byte) []int32) []int {
	s, hash, ok := e.find(w)
	if ok {
		for _, id := range s.ids[:s.count] {
			out = append(out, int(id))
		}
		return out
	}
	ids := merge(e, w)
	e.remember(s, w, hash, ids)
	for _, id := range ids {
		out = append(out, int(id))
	}
	return out
}

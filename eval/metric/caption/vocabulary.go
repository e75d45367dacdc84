package caption

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
)

// vocabulary numbers words from 1 on, in the order in which they come, by open addressing.
type vocabulary struct {
	seed  uint64
	slots []uint32 // a word's number, 0 is free
	words []entry  // the word with number n is words[n-1]
	tails []byte
	one   []byte // the word at hand, and padding
}

// entry is a word: its first eight bytes, padded with zeros, and where the others are in tails.
type entry struct {
	head uint64
	tail uint32
	size uint32
}

func newVocabulary() *vocabulary {
	return &vocabulary{seed: rand.Uint64(), slots: room[uint32](nil, 1<<14), words: make([]entry, 0, 1<<14), tails: make([]byte, 0, 1<<15)}
}

// number is the word's.
func (v *vocabulary) number(word string) uint32 {
	v.one = append(append(v.one[:0], word...), padding...)
	head := binary.LittleEndian.Uint64(v.one)
	if len(word) <= 8 {
		return v.find(head&(1<<(8*len(word))-1), nil, uint32(len(word)))
	}
	return v.find(head, v.one[8:len(word)], uint32(len(word)))
}

const padding = "        "

// find is the number of the word of these parts.
func (v *vocabulary) find(head uint64, tail []byte, size uint32) uint32 {
	mask := uint64(len(v.slots) - 1)
	at := v.hash(head, tail, size) & mask
	for ; v.slots[at] != 0; at = (at + 1) & mask {
		w := &v.words[v.slots[at]-1]
		if w.head == head && w.size == size && (size <= 8 || bytes.Equal(v.tail(w), tail)) {
			return v.slots[at]
		}
	}
	v.words = append(v.words, entry{head, uint32(len(v.tails)), size})
	v.tails = append(v.tails, tail...)
	n := uint32(len(v.words))
	v.slots[at] = n
	if 2*len(v.words) > len(v.slots) {
		v.grow()
	}
	return n
}

func (v *vocabulary) tail(w *entry) []byte { return v.tails[w.tail : w.tail+max(w.size, 8)-8] }

func (v *vocabulary) hash(head uint64, tail []byte, size uint32) uint64 {
	h := spread(head ^ v.seed + uint64(size))
	for ; len(tail) >= 8; tail = tail[8:] {
		h = spread(h ^ binary.LittleEndian.Uint64(tail))
	}
	var rest uint64
	for _, c := range tail {
		rest = rest<<8 | uint64(c)
	}
	if rest != 0 {
		h = spread(h ^ rest)
	}
	return h
}

func (v *vocabulary) grow() {
	v.slots = room(v.slots[:0:0], 2*len(v.slots))
	mask := uint64(len(v.slots) - 1)
	for i := range v.words {
		w := &v.words[i]
		at := v.hash(w.head, v.tail(w), w.size) & mask
		for v.slots[at] != 0 {
			at = (at + 1) & mask
		}
		v.slots[at] = uint32(i + 1)
	}
}

// numbers appends the number of each word of a line, of which the words are ASCII and spaces part them. It reports whether splitting
// at single spaces gives something else.
func (v *vocabulary) numbers(line []byte, to []uint32) (numbers []uint32, odd bool) {
	v.one = append(append(v.one[:0], line...), padding...)
	b, at := v.one, 0
	for at <= len(line) {
		head := binary.LittleEndian.Uint64(b[at:])
		space := spaces(head)
		if space == 0 { // a longer word
			end := at + 8
			for ; b[end] != ' '; end++ {
			}
			to = append(to, v.find(head, b[at+8:end], uint32(end-at)))
			at = end + 1
			continue
		}
		size := bits.TrailingZeros64(space) / 8
		at += size + 1
		if size == 0 {
			odd = true
			continue
		}
		// As find does, without a tail.
		head &= 1<<(8*size) - 1
		mask := uint64(len(v.slots) - 1)
		slot := spread(head^v.seed+uint64(size)) & mask
		n := v.slots[slot]
		for n != 0 && (v.words[n-1].head != head || v.words[n-1].size != uint32(size)) {
			slot = (slot + 1) & mask
			n = v.slots[slot]
		}
		if n == 0 {
			n = v.find(head, nil, uint32(size))
		}
		to = append(to, n)
	}
	return to, odd
}

// spaces has a bit set in each of eight bytes that is a space; bits above the lowest may be wrong.
func spaces(x uint64) uint64 {
	x ^= ' ' * eachByte
	return (x - eachByte) &^ x & (0x80 * eachByte)
}

const eachByte = 0x0101010101010101

// simple reports whether a line is printable ASCII, so that no other white space is in it.
func simple(line []byte) bool {
	i := 0
	for ; i+8 <= len(line); i += 8 {
		x := binary.LittleEndian.Uint64(line[i:])
		if (x-' '*eachByte|x)&(0x80*eachByte) != 0 {
			return false
		}
	}
	for ; i < len(line); i++ {
		if line[i] < ' ' || line[i] >= 0x80 {
			return false
		}
	}
	return true
}

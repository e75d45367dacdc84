package inflate

// Huffman tables: a first level by the next bits, links to second-level tables for longer codes.

import (
	"bytes"
	"math/bits"
	"sync"
)

const (
	litBits  = 11
	distBits = 9
	preBits  = 7
	maxCode  = 15
)

// entry: bits 0-5 say how many bits to take, the code and its extra bits; 8-11 how many of these are the code. A literal has its
// byte in bits 16-23, a length or distance its base in 16-31. A link has the start of its second-level table in 16-31 and its bits in
// 8-11. 0 is a code that does not exist.
type entry uint32

// value is the base and the extra bits of a length or distance; taken are bits that begin with its code.
func (e entry) value(taken uint64) int {
	return int(e>>16) + int(taken&(1<<(e&63)-1)>>(e>>8&15))
}

const (
	isLiteral entry = 1 << 15
	isLink    entry = 1 << 14
	isEnd     entry = 1 << 13
)

// values of the symbols, without the codes' lengths.
var litValues, distValues, preValues = func() (lit [288]entry, dist [32]entry, pre [19]entry) {
	for i := range 256 {
		lit[i] = isLiteral | entry(i)<<16
	}
	lit[256] = isEnd
	base := 3
	for i := range 28 {
		extra := 0
		if i >= 8 {
			extra = i/4 - 1
		}
		lit[257+i] = entry(base)<<16 | entry(extra)
		base += 1 << extra
	}
	lit[285] = 258 << 16
	base = 1
	for i := range 30 {
		extra := 0
		if i >= 4 {
			extra = i/2 - 1
		}
		dist[i] = entry(base)<<16 | entry(extra)
		base += 1 << extra
	}
	for i := range 19 {
		pre[i] = isLiteral | entry(i)<<16
	}
	return
}()

// build fills a table from the lengths of the codes; false when they are no prefix code: neither complete, nor a single
// code of one bit, nor (for distances) none at all. Length by length the table so far is doubled, and the codes of the length are
// put over what they stand for.
func build(table []entry, tableBits int, lens []uint8, values []entry, mayBeEmpty bool) bool {
	var count, next [maxCode + 2]int
	longest := 0
	for _, n := range lens {
		count[n]++
		longest = max(longest, int(n))
	}
	if longest == 0 {
		clear(table[:1<<tableBits])
		return mayBeEmpty
	}
	count[0] = 0
	space := 0
	for n := 1; n <= maxCode; n++ {
		space += count[n] << (maxCode - n)
		next[n+1] = next[n] + count[n]
	}
	if space != 1<<maxCode && !(longest == 1 && count[1] == 1) {
		return false
	}
	var symbols [len(litValues)]uint16 // by length
	for symbol, n := range lens {
		if n > 0 {
			symbols[next[n]] = uint16(symbol)
			next[n]++
		}
	}
	table[0] = 0
	free, at, code := 1<<tableBits, 0, uint16(0)
	for n := 1; n <= max(longest, tableBits); n++ {
		if n <= tableBits {
			copy(table[1<<(n-1):1<<n], table[:1<<(n-1)])
		}
		code <<= 1
		for range count[n] {
			e := values[symbols[at]]
			if e != 0 {
				e += entry(n)<<8 | entry(n)
			}
			at++
			place := int(bits.Reverse16(code) >> (16 - n))
			code++
			if n <= tableBits {
				table[place] = e
				continue
			}
			width := longest - tableBits
			link := &table[place&(1<<tableBits-1)]
			if *link == 0 {
				if free+1<<width > len(table) {
					return false
				}
				*link = isLink | entry(free)<<16 | entry(width)<<8
				clear(table[free : free+1<<width])
				free += 1 << width
			}
			start := int(*link >> 16)
			for i := place >> tableBits; i < 1<<width; i += 1 << (n - tableBits) {
				table[start+i] = e
			}
		}
	}
	return true
}

// fixed are the codes of blocks that bring none.
var fixed = sync.OnceValue(func() *tables {
	var t tables
	var lens [288]uint8
	for i := range lens {
		switch {
		case i < 144:
			lens[i] = 8
		case i < 256:
			lens[i] = 9
		case i < 280:
			lens[i] = 7
		default:
			lens[i] = 8
		}
	}
	build(t.lit[:], litBits, lens[:], litValues[:], false)
	build(t.dist[:], distBits, bytes.Repeat([]byte{5}, 32), distValues[:], false)
	return &t
})

var preOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// readCodes reads the code lengths of a block that brings its codes.
func (d *Decoder) readCodes(r *bitReader) error {
	head, ok := r.take(14)
	if !ok {
		return ErrShort
	}
	lits, dists, pres := int(head&31)+257, int(head>>5&31)+1, int(head>>10)+4
	if lits > 286 || dists > 30 {
		return ErrCorrupt
	}
	var preLens [19]uint8
	for _, symbol := range preOrder[:pres] {
		n, ok := r.take(3)
		if !ok {
			return ErrShort
		}
		preLens[symbol] = uint8(n)
	}
	if !build(d.pre[:], preBits, preLens[:], preValues[:], false) {
		return ErrCorrupt
	}
	lens := d.lens[:lits+dists]
	for i := 0; i < len(lens); {
		r.fill()
		e := d.pre[r.bb&(1<<preBits-1)]
		if e == 0 {
			return r.bad()
		}
		if uint(e&63) > r.bn {
			return ErrShort
		}
		r.drop(uint(e & 63))
		symbol := uint8(e >> 16)
		if symbol < 16 {
			lens[i] = symbol
			i++
			continue
		}
		repeat, extra, value := 3, uint(2), uint8(0)
		switch symbol {
		case 16:
			if i == 0 {
				return ErrCorrupt
			}
			value = lens[i-1]
		case 17:
			extra = 3
		case 18:
			repeat, extra = 11, 7
		}
		more, ok := r.take(extra)
		if !ok {
			return ErrShort
		}
		repeat += int(more)
		if i+repeat > len(lens) {
			return ErrCorrupt
		}
		for range repeat {
			lens[i] = value
			i++
		}
	}
	if lens[256] == 0 || !build(d.dynamic.lit[:], litBits, lens[:lits], litValues[:lits], false) || !build(d.dynamic.dist[:], distBits, lens[lits:], distValues[:dists], true) {
		return ErrCorrupt
	}
	return nil
}

// Package inflate decompresses one gzip member that lies whole in memory into one buffer: no window to copy from, no reader
// to call for every byte. A streaming decoder stays the way for members that are large, cut or damaged, and is the reference
// in the tests. Sources: RFC 1951, RFC 1952.
package inflate

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// Errors. ErrShort: the input ends inside the member. ErrLarge: the output is larger than the limit. ErrCorrupt: anything
// else, a wrong checksum included.
var (
	ErrShort   = errors.New("inflate: input ends inside the member")
	ErrLarge   = errors.New("inflate: output is larger than the limit")
	ErrCorrupt = errors.New("inflate: not a valid gzip member")
)

// How far a match may write behind its start (258 in steps of 8), and a step of the fast loop (two literals before it).
const (
	reach = 264
	slack = reach + 8
)

// Decoder holds the tables; use it again and again.
type Decoder struct {
	dynamic tables
	pre     [1 << preBits]entry
	lens    [320]uint8
}

// tables are the two codes of a block.
type tables struct {
	lit  [1<<litBits + 2304]entry // 143 second-level tables of 16 at most
	dist [1<<distBits + 1024]entry
}

// bitReader is the input; taken bits are shifted out of bb at the bottom.
type bitReader struct {
	src []byte
	pos int
	bb  uint64
	bn  uint
}

// fill gets at least 56 bits, or all that are left.
func (r *bitReader) fill() {
	if r.pos+8 <= len(r.src) {
		r.bb |= binary.LittleEndian.Uint64(r.src[r.pos:]) << r.bn
		n := (63 - r.bn) >> 3
		r.pos += int(n)
		r.bn += n * 8
		r.bb &= 1<<r.bn - 1
		return
	}
	for r.bn <= 55 && r.pos < len(r.src) {
		r.bb |= uint64(r.src[r.pos]) << r.bn
		r.pos++
		r.bn += 8
	}
}

func (r *bitReader) drop(n uint) {
	r.bb >>= n
	r.bn -= n
}

// take gives n bits, at most 32; ok is false when the input ends before.
func (r *bitReader) take(n uint) (v uint, ok bool) {
	if r.bn < n {
		if r.fill(); r.bn < n {
			return 0, false
		}
	}
	v = uint(r.bb & (1<<n - 1))
	r.drop(n)
	return v, true
}

// Member decompresses the gzip member at the start of src into dst[:0], which grows as needed. used is the member's length.
func (d *Decoder) Member(dst, src []byte, limit int) (out []byte, used int, err error) {
	start, err := header(src)
	if err != nil {
		return dst[:0], 0, err
	}
	r := bitReader{src: src, pos: start}
	out = dst[:cap(dst)]
	n := 0
	for last := false; !last; {
		head, ok := r.take(3)
		if !ok {
			return out[:n], 0, ErrShort
		}
		last = head&1 != 0
		switch head >> 1 {
		case 0:
			out, n, err = stored(&r, out, n, limit)
		case 1:
			out, n, err = fixed().block(&r, out, n, limit)
		case 2:
			if err = d.readCodes(&r); err == nil {
				out, n, err = d.dynamic.block(&r, out, n, limit)
			}
		default:
			err = ErrCorrupt
		}
		if err != nil {
			return out[:n], 0, err
		}
	}
	end := r.pos - int(r.bn/8)
	if len(src) < end+8 {
		return out[:n], 0, ErrShort
	}
	if binary.LittleEndian.Uint32(src[end:]) != crc32.ChecksumIEEE(out[:n]) || binary.LittleEndian.Uint32(src[end+4:]) != uint32(n) {
		return out[:n], 0, ErrCorrupt
	}
	return out[:n], end + 8, nil
}

// header gives where the deflate data begin.
func header(src []byte) (int, error) {
	if len(src) < 10 {
		return 0, ErrShort
	}
	flags := src[3]
	if src[0] != 0x1f || src[1] != 0x8b || src[2] != 8 || flags&0xe0 != 0 {
		return 0, ErrCorrupt
	}
	at := 10
	if flags&4 != 0 { // FEXTRA
		if len(src) < at+2 {
			return 0, ErrShort
		}
		at += 2 + int(binary.LittleEndian.Uint16(src[at:]))
	}
	for _, flag := range []byte{8, 16} { // FNAME, FCOMMENT
		if flags&flag == 0 {
			continue
		}
		for at < len(src) && src[at] != 0 {
			at++
		}
		at++
	}
	if flags&2 != 0 { // FHCRC
		if len(src) < at+2 {
			return 0, ErrShort
		}
		if binary.LittleEndian.Uint16(src[at:]) != uint16(crc32.ChecksumIEEE(src[:at])) {
			return 0, ErrCorrupt
		}
		at += 2
	}
	if at > len(src) {
		return 0, ErrShort
	}
	return at, nil
}

// room makes place for need more bytes behind n.
func room(out []byte, n, need, limit int) ([]byte, error) {
	if n > limit {
		return out, ErrLarge
	}
	if len(out)-n >= need {
		return out, nil
	}
	bigger := make([]byte, max(2*len(out), n+need, 64<<10))
	copy(bigger, out[:n])
	return bigger, nil
}

func stored(r *bitReader, out []byte, n, limit int) ([]byte, int, error) {
	r.drop(r.bn % 8)
	r.pos -= int(r.bn / 8)
	r.bb, r.bn = 0, 0
	if len(r.src) < r.pos+4 {
		return out, n, ErrShort
	}
	size := binary.LittleEndian.Uint16(r.src[r.pos:])
	if size != ^binary.LittleEndian.Uint16(r.src[r.pos+2:]) {
		return out, n, ErrCorrupt
	}
	r.pos += 4
	if len(r.src) < r.pos+int(size) {
		return out, n, ErrShort
	}
	out, err := room(out, n, int(size), limit)
	if err != nil {
		return out, n, err
	}
	n += copy(out[n:], r.src[r.pos:r.pos+int(size)])
	r.pos += int(size)
	return out, n, nil
}

// block decodes literals and matches up to the end of the block: with quick as far as input and output have room, then symbol
// by symbol.
func (t *tables) block(r *bitReader, out []byte, n, limit int) ([]byte, int, error) {
	lit, dist := &t.lit, &t.dist
	for {
		var end bool
		var err error
		if n, end, err = t.quick(r, out, n); end || err != nil {
			return out, n, err
		}
		if len(out)-n < slack || n > limit {
			if out, err = room(out, n, slack, limit); err != nil {
				return out, n, err
			}
		}
		r.fill()
		e := lit[r.bb&(1<<litBits-1)]
		if e&isLink != 0 {
			e = lit[uint(e>>16)+uint(r.bb>>litBits)&(1<<(e>>8&15)-1)]
		}
		size := uint(e & 63)
		switch {
		case e == 0:
			return out, n, r.bad()
		case size > r.bn:
			return out, n, ErrShort
		}
		taken := r.bb
		r.drop(size)
		if e&isLiteral != 0 {
			out[n] = byte(e >> 16)
			n++
			continue
		}
		if e&isEnd != 0 {
			return out, n, nil
		}
		length := e.value(taken)
		e = dist[r.bb&(1<<distBits-1)]
		if e&isLink != 0 {
			e = dist[uint(e>>16)+uint(r.bb>>distBits)&(1<<(e>>8&15)-1)]
		}
		size = uint(e & 63)
		switch {
		case e == 0:
			return out, n, r.bad()
		case size > r.bn:
			return out, n, ErrShort
		}
		back := e.value(r.bb)
		r.drop(size)
		if back > n {
			return out, n, ErrCorrupt
		}
		from := n - back
		switch {
		case back >= 8:
			for i := 0; i < length; i += 8 {
				binary.LittleEndian.PutUint64(out[n+i:], binary.LittleEndian.Uint64(out[from+i:]))
			}
		case back == 1:
			c := out[from]
			run := out[n : n+length]
			for i := range run {
				run[i] = c
			}
		default:
			for i := range length {
				out[n+i] = out[from+i]
			}
		}
		n += length
	}
}

// bad tells a code that does not exist from one that the end of the input cut.
func (r *bitReader) bad() error {
	if r.bn < maxCode {
		return ErrShort
	}
	return ErrCorrupt
}

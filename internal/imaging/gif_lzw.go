package imaging

import (
	"bufio"
	"errors"
	"io"
)

// GIF's variant of LZW: least significant bit first, codes up to 12 bits, a full table stays until it is cleared.

const lzwMaxBits = 12

type lzwReader struct {
	src    *bufio.Reader
	buffer uint32 // bits not used yet
	have   int
	clear  int // the clear code; clear+1 ends the data
	first  int // first code length
	bits   int // present code length
	next   int // code that comes into the table next
	last   int // code before, -1 after a clear
	prefix [1 << lzwMaxBits]uint16
	suffix [1 << lzwMaxBits]uint8
	out    []byte // expanded and not handed over yet
	stack  [1 << lzwMaxBits]byte
}

// newLZW reads codes whose literals have 1..11 bits.
func newLZW(src io.Reader, literalBits int) *lzwReader {
	r := &lzwReader{src: bufio.NewReader(src), clear: 1 << literalBits, first: literalBits + 1}
	r.reset()
	return r
}

func (r *lzwReader) reset() { r.bits, r.next, r.last = r.first, r.clear+2, -1 }

func (r *lzwReader) Read(b []byte) (int, error) {
	for len(r.out) == 0 {
		if err := r.expand(); err != nil {
			return 0, err
		}
	}
	n := copy(b, r.out)
	r.out = r.out[n:]
	return n, nil
}

func (r *lzwReader) code() (int, error) {
	for r.have < r.bits {
		c, err := r.src.ReadByte()
		if err != nil {
			return 0, err
		}
		r.buffer |= uint32(c) << r.have
		r.have += 8
	}
	code := int(r.buffer & (1<<r.bits - 1))
	r.buffer >>= r.bits
	r.have -= r.bits
	return code, nil
}

// expand reads one code and leaves what it stands for in out.
func (r *lzwReader) expand() error {
	code, err := r.code()
	switch {
	case err != nil:
		return err
	case code == r.clear:
		r.reset()
		return nil
	case code == r.clear+1:
		return io.EOF
	case code > r.next || r.last < 0 && code > r.clear, code == r.next && r.next == 1<<lzwMaxBits:
		return errors.New("an LZW code that is not in the table")
	}
	top, at := len(r.stack), code
	if code == r.next { // the string before and its own first byte
		top--
		at = r.last
	}
	for at > r.clear {
		top--
		r.stack[top] = r.suffix[at]
		at = int(r.prefix[at])
	}
	top--
	r.stack[top] = byte(at)
	if code == r.next {
		r.stack[len(r.stack)-1] = byte(at)
	}
	r.out = r.stack[top:]
	if r.last >= 0 && r.next < 1<<lzwMaxBits {
		r.prefix[r.next], r.suffix[r.next] = uint16(r.last), byte(at)
		r.next++
		if r.next == 1<<r.bits && r.bits < lzwMaxBits {
			r.bits++
		}
	}
	r.last = code
	return nil
}

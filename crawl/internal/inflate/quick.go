package inflate

// The loop in which nearly all symbols are decoded, in Go: what is used without cgo, and the reference of quick.c.

import "encoding/binary"

// quickRef is block without a check for the end of the input at every step: it stops where 8 bytes of input or slack bytes of
// output are no longer certain.
func (t *tables) quickRef(r *bitReader, out []byte, n int) (int, bool, error) {
	lit, dist := &t.lit, &t.dist
	src, pos, bb, bn := r.src, r.pos, r.bb, r.bn
	end := false
	var err error
	for pos+8 <= len(src) && n+slack <= len(out) {
		// Bits of bb above bn are the stream's next ones already: filling again sets them to what they are.
		bb |= binary.LittleEndian.Uint64(src[pos:]) << (bn & 63)
		pos += int(63-bn) >> 3
		bn |= 56
		e := lit[bb&(1<<litBits-1)]
		if e&isLiteral != 0 { // two more can follow without new input: 11 bits each at most
			out[n] = byte(e >> 16)
			n++
			bb >>= e & 63
			bn -= uint(e & 63)
			if e = lit[bb&(1<<litBits-1)]; e&isLiteral != 0 {
				out[n] = byte(e >> 16)
				n++
				bb >>= e & 63
				bn -= uint(e & 63)
				if e = lit[bb&(1<<litBits-1)]; e&isLiteral != 0 {
					out[n] = byte(e >> 16)
					n++
					bb >>= e & 63
					bn -= uint(e & 63)
					continue
				}
			}
			if pos+8 > len(src) {
				break
			}
			bb |= binary.LittleEndian.Uint64(src[pos:]) << (bn & 63)
			pos += int(63-bn) >> 3
			bn |= 56
		}
		if e&isLink != 0 {
			e = lit[int(e>>16)+int(bb>>litBits)&(1<<(e>>8&15)-1)]
		}
		taken, size := bb, uint(e&63)
		bb >>= size
		bn -= size
		if e&isLiteral != 0 {
			out[n] = byte(e >> 16)
			n++
			continue
		}
		if e&isEnd != 0 {
			end = true
			break
		}
		if e == 0 {
			err = ErrCorrupt
			break
		}
		length := e.value(taken)
		e = dist[bb&(1<<distBits-1)]
		if e&isLink != 0 {
			e = dist[int(e>>16)+int(bb>>distBits)&(1<<(e>>8&15)-1)]
		}
		size = uint(e & 63)
		back := e.value(bb)
		bb >>= size
		bn -= size
		if e == 0 || back > n {
			err = ErrCorrupt
			break
		}
		from := n - back
		switch {
		case back >= 8:
			to, of := out[n:n+reach], out[from:n+reach]
			for i := 0; i < length; i += 8 {
				binary.LittleEndian.PutUint64(to[i:], binary.LittleEndian.Uint64(of[i:]))
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
	r.pos, r.bb, r.bn = pos, bb&(1<<bn-1), bn
	return n, end, err
}

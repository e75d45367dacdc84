package jsonscan

// Numbers as they are written: what they are is for their readers, who want them in different types.

import "encoding/binary"

// Number is a number as it is written.
type Number struct {
	From     int // where in the text it begins
	Negative bool
	Whole    bool   // without fraction and exponent
	Plain    bool   // without exponent and of at most 18 digits: its size is Digits / 10^Places
	Digits   uint64 // of a plain one
	Places   int
}

// Number reads a number; At is its end.
func (s *Scanner) Number() (n Number) {
	s.Kind()
	text, i := s.Text, s.At
	n.From = i
	if i < len(text) && text[i] == '-' {
		n.Negative = true
		i++
	}
	first := i
	n.Digits, i = Decimals(0, text, i)
	count := i - first
	if count == 0 || count > 1 && text[first] == '0' {
		s.Fail("expected a number")
		return n
	}
	n.Whole = true
	if i < len(text) && text[i] == '.' {
		i++
		first := i
		n.Digits, i = Decimals(n.Digits, text, i)
		if n.Places = i - first; n.Places == 0 {
			s.FailAt(i, "expected digits")
			return n
		}
		count += n.Places
		n.Whole = false
	}
	n.Plain = count <= 18
	if i < len(text) && text[i]|0x20 == 'e' {
		n.Plain, n.Whole = false, false
		i++
		if i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
		first := i
		for i < len(text) && text[i]-'0' <= 9 {
			i++
		}
		if i == first {
			s.FailAt(i, "expected digits")
			return n
		}
	}
	s.At = i
	return n
}

// Decimals appends the digits from text[i] on to n, eight at a time, and says where they end; too many overflow. The loop
// over the last digits is quicker than masking them out: its branches are foreseen, and reading goes on meanwhile.
func Decimals(n uint64, text []byte, i int) (uint64, int) {
	for i+8 <= len(text) {
		x, ok := Eight(text[i:])
		if !ok {
			break
		}
		n = n*100000000 + x
		i += 8
	}
	for ; i < len(text) && text[i]-'0' <= 9; i++ {
		n = n*10 + uint64(text[i]-'0')
	}
	return n, i
}

// Eight is the number that the first eight bytes are, if these are digits.
func Eight(text []byte) (n uint64, ok bool) {
	x := binary.LittleEndian.Uint64(text) ^ '0'*eachByte
	others := (x | (x + 0x76*eachByte)) & eachHigh // bytes above 9
	x = x*10 + x>>8                                // pairs, in every other byte
	x = (x&0x000000ff000000ff*(100+1000000<<32) + x>>16&0x000000ff000000ff*(1+10000<<32)) >> 32
	return x, others == 0
}

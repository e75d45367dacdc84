package schemas

// Similarities as text. Prints and reads float32 values; both fall back to strconv outside of the range of similarities
// and where its answer hangs on a hair.

import (
	"bytes"
	"math"
	"math/bits"
	"strconv"
)

// appendFloat appends a float32 as Python prints the float64 of the same value. JSON has no NaN; it becomes null.
func appendFloat(b []byte, f float32) []byte {
	if digits, zeros, ok := shortest(f); ok {
		if f < 0 {
			b = append(b, '-')
		}
		return appendFraction(b, digits, zeros)
	}
	return appendAnyFloat(b, f)
}

// appendAnyFloat is appendFloat for every float32, by strconv.
func appendAnyFloat(b []byte, f float32) []byte {
	v := float64(f)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return append(b, "null"...)
	}
	if exponent := math.Abs(v); v != 0 && (exponent < 1e-4 || exponent >= 1e16) {
		return strconv.AppendFloat(b, v, 'e', -1, 64)
	}
	start := len(b)
	b = strconv.AppendFloat(b, v, 'f', -1, 64)
	if bytes.IndexByte(b[start:], '.') < 0 {
		b = append(b, ".0"...)
	}
	return b
}

var powersOf5 = [...]uint64{17: 762939453125, 18: 3814697265625, 19: 19073486328125, 20: 95367431640625}

// shortest gives the shortest digits that read back as the float64 of |f|, of those the nearest to it: |f| is about
// 0.digits after so many zeros, digits counting units of the 17th and ending in zeros if fewer are needed. It knows
// 1e-4 <= |f| < 1 only, and not every value there.
//
// |f| = m / 2^k with m of 24 bits, so in units of the last of 17 digits it is m * 5^q / 2^s exactly, and half the
// distance to the next float64, within which all digits read back as the same, is 5^q / 2^(s+30).
func shortest(f float32) (digits uint64, zeros int, ok bool) {
	word := math.Float32bits(f)
	exponent, m := int(word>>23&0xff), uint64(word&(1<<23-1))
	x := math.Abs(float64(f))
	if !(x >= 1e-4 && x < 1) || m == 0 { // m == 0: the next smaller float64 is nearer
		return 0, 0, false
	}
	switch {
	case x >= 0.1:
	case x >= 0.01:
		zeros = 1
	case x >= 0.001:
		zeros = 2
	default:
		zeros = 3
	}
	q := 17 + zeros
	s := 150 - exponent - q
	high, low := bits.Mul64(m|1<<23, powersOf5[q])
	whole := high<<(64-s) | low>>s
	fraction := low & (1<<s - 1) // of 2^s
	// Distances below are in 2^-s units; half the gap between float64s is rounded down, and what is equal to it left to strconv.
	half := powersOf5[q] >> 30
	last := whole % 10
	down := last<<s | fraction
	up := 10<<s - down
	switch {
	case down == half || up == half || down < half && up < half || fraction == 1<<(s-1):
		return 0, 0, false
	case down < half:
		digits = whole - last
	case up < half:
		digits = whole - last + 10
	default:
		digits = whole + fraction>>(s-1)
	}
	return digits, zeros, digits < 1e17
}

const twoDigits = "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899"

// appendFraction appends "0.", zeros and 17 digits without the zeros at their end.
func appendFraction(b []byte, digits uint64, zeros int) []byte {
	b = append(append(b, "0.000"[:2+zeros]...), "00000000000000000"...)
	text := (*[17]byte)(b[len(b)-17:])
	high, low := uint32(digits/1e9), uint32(digits%1e9) // 8 and 9 digits
	text[16] = byte('0' + low%10)
	putEight((*[8]byte)(text[8:]), low/10)
	putEight((*[8]byte)(text[:]), high)
	n := len(b)
	for b[n-1] == '0' {
		n--
	}
	return b[:n]
}

func putEight(text *[8]byte, n uint32) {
	high, low := n/10000, n%10000
	a, b, c, d := high/100*2, high%100*2, low/100*2, low%100*2
	text[0], text[1] = twoDigits[a], twoDigits[a+1]
	text[2], text[3] = twoDigits[b], twoDigits[b+1]
	text[4], text[5] = twoDigits[c], twoDigits[c+1]
	text[6], text[7] = twoDigits[d], twoDigits[d+1]
}

var powersOf10 = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18}

// float32Of reads digits / 10^places, of at most 18 digits and places, as a float32. The quotient of float64s is wrong by
// two units at most; where the float32 could hang on that, it is not ok.
func float32Of(digits uint64, places int) (f float32, ok bool) {
	v := float64(digits) / powersOf10[places]
	below := math.Float64bits(v) & (1<<29 - 1) // what rounding to float32 drops
	const middle, margin = 1 << 28, 4
	return float32(v), below < middle-margin || below > middle+margin
}

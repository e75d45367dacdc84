package schemas

// Similarities as text. Prints and reads float32 values; both fall back to strconv outside of the range of similarities
// and where its answer hangs on a hair.

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"strconv"
)

// fractionRoom is more than appendFloat writes the quick way: a sign, "0.", three zeros, 18 digits and a byte.
const fractionRoom = 32

// appendFloat appends a float32 as Python prints the float64 of the same value. JSON has no NaN; it becomes null.
func appendFloat(b []byte, f float32) []byte {
	digits, zeros, ok := shortest(f)
	if !ok {
		return appendAnyFloat(b, f)
	}
	n := len(b)
	if cap(b)-n < fractionRoom {
		b = slices.Grow(b, fractionRoom)
	}
	text := (*[fractionRoom]byte)(b[n : n+fractionRoom])
	const dotZero = '0' | '.'<<8 | '0'<<16 | '0'<<24 | '0'<<32 // "0.000"
	at := 2 + zeros
	binary.LittleEndian.PutUint64(text[:], dotZero)
	if f < 0 {
		binary.LittleEndian.PutUint64(text[:], '-'|dotZero<<8)
		at++
	}
	first, second := 10*digits/1e9, 10*digits%1e9
	putNine(text[at:], first)
	count := 18 - putNine(text[at+9:], second)
	if count == 15 {
		for ; text[at+count-1] == '0'; count-- {
		}
	}
	return b[:n+at+count]
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
	s := (150 - exponent - q) & 63 // 1 to 17; the mask spares the compiler what larger shifts need
	high, low := bits.Mul64(m|1<<23, powersOf5[q])
	whole := high<<(64-s) | low>>s
	fraction := low & (1<<s - 1) // of 2^s
	// Distances below are in 2^-s units; half the gap between float64s is rounded down, and what is equal to it left to strconv.
	half := powersOf5[q] >> 30
	last := whole % 10
	below, above := whole-last, whole-last+10
	down := last<<s | fraction
	up := 10<<s - down
	if down == half || up == half || half >= 10<<s || fraction == 1<<(s-1) {
		return 0, 0, false
	}
	if max(down, up) < half { // a digit fewer does in two ways: is one of them round, or nearer?
		belowRound, aboveRound := below%100 == 0, above%100 == 0
		if down == up {
			return 0, 0, false
		}
		if aboveRound || up < down && !belowRound {
			return above, zeros, above < 1e17
		}
		return below, zeros, true
	}
	// Which of these it is, nobody could predict: no branches.
	digits = whole + fraction>>(s-1)
	if up < half {
		digits = above
	}
	if down < half {
		digits = below
	}
	return digits, zeros, digits < 1e17
}

// threeDigits has the digits of every number below 1000, the first in the lowest byte, and on top how many zeros end it.
var threeDigits = func() (table [1000]uint32) {
	for n := range uint32(1000) {
		zeros := uint32(0)
		for d := uint32(10); zeros < 3 && n%d == 0; d *= 10 {
			zeros++
		}
		table[n] = '0' + n/100 | ('0'+n/10%10)<<8 | ('0'+n%10)<<16 | zeros<<24
	}
	return table
}()

// putNine writes nine digits, and a byte behind them, and says how many of the last three are zeros at the end. The number
// becomes a fixed-point fraction; times 1000, three more digits come before its point: fewer multiplications than by
// remainders.
func putNine(text []byte, n uint64) (zeros int) {
	_ = text[9]
	const point = 54
	const below = 1<<point - 1
	x := n * (1<<point/1000000 + 1)
	binary.LittleEndian.PutUint32(text, threeDigits[x>>point])
	x = x & below * 1000
	binary.LittleEndian.PutUint32(text[3:], threeDigits[x>>point])
	x = x & below * 1000
	last := threeDigits[x>>point]
	binary.LittleEndian.PutUint32(text[6:], last)
	return int(last >> 24)
}

var tenths = [...]float64{1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15, 1e-16, 1e-17, 1e-18}

// float32Of reads digits / 10^places, of at most 18 digits and places, as a float32. The float64 on the way is wrong by three
// units at most, one for each rounding; where the float32 could hang on that, it is not ok.
func float32Of(digits uint64, places int) (f float32, ok bool) {
	v := float64(digits) * tenths[places]
	below := math.Float64bits(v) & (1<<29 - 1) // what rounding to float32 drops
	const middle, margin = 1 << 28, 4
	return float32(v), below < middle-margin || below > middle+margin
}

package weights

import (
	"math"
	"testing"
)

// Every half-precision number stays itself, and what lies between two goes to the nearer one, or to the even one.
func TestHalf(t *testing.T) {
	for h := range uint16(0x7c00) {
		v := HalfToFloat(h)
		next := HalfToFloat(h + 1)
		if h == 0x7bff {
			next = 65536
		}
		middle := v + (next-v)/2
		even := h + h&1
		for x, want := range map[float32]uint16{v: h, middle: even, math.Nextafter32(middle, 0): h, math.Nextafter32(middle, 1e9): h + 1} {
			if got := FloatToHalf(x); got != want {
				t.Fatalf("FloatToHalf(%v) is %#x, not %#x", x, got, want)
			}
			if got := FloatToHalf(-x); got != want|0x8000 {
				t.Fatalf("FloatToHalf(%v) is %#x, not %#x", -x, got, want|0x8000)
			}
		}
	}
	inf := float32(math.Inf(1))
	if FloatToHalf(inf) != 0x7c00 || FloatToHalf(1e20) != 0x7c00 || FloatToHalf(float32(math.NaN()))&0x3ff == 0 {
		t.Error("infinity, overflow or NaN")
	}
}

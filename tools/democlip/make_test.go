package main

import (
	"math"
	"strings"
	"testing"

	"mmc4/models/tokenizer"
	"mmc4/models/weights"
)

// Every half-precision number stays itself, and what lies between two goes to the nearer one, or to the even one.
func TestHalf(t *testing.T) {
	for h := range uint16(0x7c00) {
		v := weights.HalfToFloat(h)
		next := weights.HalfToFloat(h + 1)
		if h == 0x7bff {
			next = 65536
		}
		middle := v + (next-v)/2
		even := h + h&1
		for x, want := range map[float32]uint16{v: h, middle: even, math.Nextafter32(middle, 0): h, math.Nextafter32(middle, 1e9): h + 1} {
			if got := half(x); got != want {
				t.Fatalf("half(%v) is %#x, not %#x", x, got, want)
			}
			if got := half(-x); got != want|0x8000 {
				t.Fatalf("half(%v) is %#x, not %#x", -x, got, want|0x8000)
			}
		}
	}
	inf := float32(math.Inf(1))
	if half(inf) != 0x7c00 || half(1e20) != 0x7c00 || half(float32(math.NaN()))&0x3ff == 0 {
		t.Error("infinity, overflow or NaN")
	}
}

// The merges come by count, then by the alphabet; the table makes a tokenizer that knows the frequent words.
func TestLearnMerges(t *testing.T) {
	table, err := learnMerges([]string{"ab ab abc", "ab, “cd” " + strings.Repeat("x y ", 100), "é É"}, 5)
	if err != nil {
		t.Fatal(err)
	}
	_, merges, _ := strings.Cut(string(table), "\n")
	if want := "a b</w>\nÃ ©</w>\na b\nab c</w>\nc d</w>"; merges != want {
		t.Errorf("merges\n%s\nnot\n%s", merges, want)
	}
	words, err := tokenizer.NewCLIP(table)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(words.Encode("ab abc cd é")); n != 4+2 {
		t.Errorf("%d tokens", n)
	}
}

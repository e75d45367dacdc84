package tokenizer

// GPT-2's way of writing bytes as printable characters, and reading bytes as text where they are no UTF-8.

import (
	"strings"
	"unicode/utf8"
)

// byteRunes is the character of each byte; runeBytes the reverse, -1 for the others.
var byteRunes, runeBytes = func() (to [256]rune, back [512]int16) {
	for i := range back {
		back[i] = -1
	}
	n := rune(0)
	for b := rune(0); b < 256; b++ {
		r := b
		if !(b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae) {
			r = 256 + n
			n++
		}
		to[b] = r
		back[r] = int16(b)
	}
	return to, back
}()

// tokenBytes undoes byteRunes; a token with any other character stands for its own bytes.
func tokenBytes(token string) []byte {
	out := make([]byte, 0, len(token))
	for _, r := range token {
		if int(r) >= len(runeBytes) || runeBytes[r] < 0 {
			return []byte(token)
		}
		out = append(out, byte(runeBytes[r]))
	}
	return out
}

// ByteToken writes bytes as a token.
func ByteToken(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		s.WriteRune(byteRunes[c])
	}
	return s.String()
}

// lossyText reads bytes as UTF-8 with U+FFFD for every maximal part of a sequence that cannot be completed, as Rust's
// from_utf8_lossy and Python's errors="replace" do.
func lossyText(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	var s strings.Builder
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r != utf8.RuneError || n > 1 {
			s.Write(b[i : i+n])
			i += n
			continue
		}
		s.WriteRune(utf8.RuneError)
		i += broken(b[i:])
	}
	return s.String()
}

// broken is the length of the maximal prefix of a UTF-8 sequence at the front of b, at least 1.
func broken(b []byte) int {
	lo, hi := byte(0x80), byte(0xbf)
	need := 0
	switch c := b[0]; {
	case c >= 0xc2 && c <= 0xdf:
		need = 1
	case c >= 0xe0 && c <= 0xef:
		need = 2
		if c == 0xe0 {
			lo = 0xa0
		} else if c == 0xed {
			hi = 0x9f
		}
	case c >= 0xf0 && c <= 0xf4:
		need = 3
		if c == 0xf0 {
			lo = 0x90
		} else if c == 0xf4 {
			hi = 0x8f
		}
	}
	n := 1
	for n <= need && n < len(b) && b[n] >= lo && b[n] <= hi {
		n++
		lo, hi = 0x80, 0xbf
	}
	return min(n, max(1, need))
}

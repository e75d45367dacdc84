package data

// Base64 as Python's b64decode reads it: what MMC4's tars were written for.

import "errors"

// ErrBase64 is in the chain of errors of pictures whose base64 cannot be decoded.
var ErrBase64 = errors.New("bad base64")

// decodeBase64 skips characters outside of the alphabet, stops at a full padding, and fails when the last group is not
// whole or a character is not ASCII.
func decodeBase64(text string) ([]byte, error) {
	out := make([]byte, 0, len(text)/4*3)
	var group uint32
	place, pads := 0, 0
	for i := range len(text) {
		c := text[i]
		var v uint32
		switch {
		case c >= 0x80:
			return nil, ErrBase64
		case 'A' <= c && c <= 'Z':
			v = uint32(c - 'A')
		case 'a' <= c && c <= 'z':
			v = uint32(c-'a') + 26
		case '0' <= c && c <= '9':
			v = uint32(c-'0') + 52
		case c == '+':
			v = 62
		case c == '/':
			v = 63
		case c == '=':
			if place >= 2 {
				if pads++; place+pads >= 4 {
					return out, nil
				}
			}
			continue
		default:
			continue
		}
		pads = 0
		switch group = group<<6 | v; place {
		case 1:
			out = append(out, byte(group>>4))
		case 2:
			out = append(out, byte(group>>2))
		case 3:
			out = append(out, byte(group))
		}
		place = (place + 1) % 4
	}
	if place != 0 {
		return nil, ErrBase64
	}
	return out, nil
}

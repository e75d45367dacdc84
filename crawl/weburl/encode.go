package weburl

// Percent-encode sets of the standard, as tables over bytes: all bytes from 0x7F on are in every set.

const (
	setControl uint8 = 1 << iota
	setFragment
	setQuery
	setSpecialQuery
	setPath
	setUserinfo
	forbiddenHost
	forbiddenDomain
)

var classes = func() (t [256]uint8) {
	add := func(class uint8, chars string) {
		for i := range len(chars) {
			t[chars[i]] |= class
		}
	}
	for c := range 256 {
		if c <= 0x1F || c >= 0x7F {
			t[c] |= setControl | setFragment | setQuery | setSpecialQuery | setPath | setUserinfo
		}
		if c <= 0x1F || c == 0x7F {
			t[c] |= forbiddenDomain
		}
	}
	add(setFragment, " \"<>`")
	add(setQuery|setSpecialQuery|setPath|setUserinfo, " \"#<>")
	add(setSpecialQuery, "'")
	add(setPath|setUserinfo, "?^`{}")
	add(setUserinfo, "/:;=@[\\]|")
	add(forbiddenHost|forbiddenDomain, "\x00\t\n\r #/:<>?@[\\]^|")
	add(forbiddenDomain, "%")
	return t
}()

const upperHex = "0123456789ABCDEF"

// appendEncoded percent-encodes the bytes of s that are in the set.
func appendEncoded(b []byte, s string, set uint8) []byte {
	from := 0
	for i := range len(s) {
		if c := s[i]; classes[c]&set != 0 {
			b = append(b, s[from:i]...)
			b = append(b, '%', upperHex[c>>4], upperHex[c&15])
			from = i + 1
		}
	}
	return append(b, s[from:]...)
}

// encode is appendEncoded that gives s itself back when there is nothing to do.
func encode(s string, set uint8) string {
	for i := range len(s) {
		if classes[s[i]]&set != 0 {
			return string(appendEncoded(make([]byte, 0, len(s)+16), s, set))
		}
	}
	return s
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

// percentDecode undoes %XX; a % without two hex digits stays.
func percentDecode(s string) string {
	for i := range len(s) {
		if s[i] != '%' {
			continue
		}
		b := make([]byte, 0, len(s))
		b = append(b, s[:i]...)
		for ; i < len(s); i++ {
			if s[i] == '%' && i+2 < len(s) {
				if hi, lo := unhex(s[i+1]), unhex(s[i+2]); hi >= 0 && lo >= 0 {
					b = append(b, byte(hi<<4|lo))
					i += 2
					continue
				}
			}
			b = append(b, s[i])
		}
		return string(b)
	}
	return s
}

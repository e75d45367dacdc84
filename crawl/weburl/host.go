package weburl

// The host parser of the standard: IPv6, opaque hosts, domains by UTS 46, IPv4 in all its spellings.

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// domainToASCII is the standard's "domain to ASCII" without beStrict.
var domainToASCII = idna.New(
	idna.MapForLookup(),
	idna.Transitional(false),
	idna.StrictDomainName(false),
	idna.CheckHyphens(false),
	idna.CheckJoiners(true),
	idna.BidiRule(),
	idna.VerifyDNSLength(false),
)

// parseHost gives a host's serialisation.
func parseHost(s string, isSpecial bool) (string, error) {
	if strings.HasPrefix(s, "[") {
		if !strings.HasSuffix(s, "]") {
			return "", ErrInvalid
		}
		return parseIPv6(s[1 : len(s)-1])
	}
	if !isSpecial {
		for i := range len(s) {
			if classes[s[i]]&forbiddenHost != 0 {
				return "", ErrInvalid
			}
		}
		return encode(s, setControl), nil
	}
	host, err := asciiDomain(s)
	if err != nil {
		return "", err
	}
	for i := range len(host) {
		if classes[host[i]]&forbiddenDomain != 0 {
			return "", ErrInvalid
		}
	}
	if endsInNumber(host) {
		return parseIPv4(host)
	}
	return host, nil
}

func asciiDomain(s string) (string, error) {
	s = percentDecode(s)
	plain, upper := true, false
	for i := range len(s) {
		plain = plain && s[i] < utf8.RuneSelf
		upper = upper || 'A' <= s[i] && s[i] <= 'Z'
	}
	if plain {
		if upper {
			s = strings.ToLower(s)
		}
		if s == "" {
			return "", ErrInvalid
		}
		if !strings.HasPrefix(s, "xn--") && !strings.Contains(s, ".xn--") {
			return s, nil
		}
	} else if !utf8.ValidString(s) {
		s = string([]rune(s))
	}
	host, err := domainToASCII.ToASCII(s)
	if err != nil || host == "" {
		return "", ErrInvalid
	}
	return host, nil
}

// endsInNumber: the last label (before a last dot) is a number, so the host must be an IPv4 address.
func endsInNumber(host string) bool {
	host = strings.TrimSuffix(host, ".")
	label := host[strings.LastIndexByte(host, '.')+1:]
	if label == "" {
		return false
	}
	digits := true
	for i := range len(label) {
		digits = digits && '0' <= label[i] && label[i] <= '9'
	}
	if digits {
		return true
	}
	_, ok := ipv4Number(label)
	return ok
}

// ipv4Number reads decimal, 0x hexadecimal and 0 octal. Too big values saturate.
func ipv4Number(s string) (uint64, bool) {
	if s == "" {
		return 0, false
	}
	base := 10
	switch {
	case len(s) >= 2 && (s[:2] == "0x" || s[:2] == "0X"):
		s, base = s[2:], 16
	case len(s) >= 2 && s[0] == '0':
		s, base = s[1:], 8
	}
	var n uint64
	for i := range len(s) {
		d := unhex(s[i])
		if d < 0 || d >= base {
			return 0, false
		}
		if n = n*uint64(base) + uint64(d); n > 1<<40 {
			n = 1 << 40
		}
	}
	return n, true
}

func parseIPv4(host string) (string, error) {
	parts := strings.Split(strings.TrimSuffix(host, "."), ".")
	if len(parts) > 4 {
		return "", ErrInvalid
	}
	var ip uint64
	for i, part := range parts {
		n, ok := ipv4Number(part)
		if !ok {
			return "", ErrInvalid
		}
		if i < len(parts)-1 {
			if n > 255 {
				return "", ErrInvalid
			}
			ip |= n << (8 * (3 - i))
			continue
		}
		if n >= 1<<(8*(5-len(parts))) {
			return "", ErrInvalid
		}
		ip |= n
	}
	b := make([]byte, 0, 15)
	for i := 3; i >= 0; i-- {
		b = strconv.AppendUint(b, ip>>(8*i)&255, 10)
		if i > 0 {
			b = append(b, '.')
		}
	}
	return string(b), nil
}

// parseIPv6 reads an address without its brackets and gives it with them, shortened as the standard says.
func parseIPv6(s string) (string, error) {
	var pieces [8]uint16
	piece, compress := 0, -1
	i := 0
	at := func(i int) byte {
		if i < len(s) {
			return s[i]
		}
		return 0
	}
	if at(0) == ':' {
		if at(1) != ':' {
			return "", ErrInvalid
		}
		i, piece, compress = 2, 1, 1
	}
	for i < len(s) {
		if piece == 8 {
			return "", ErrInvalid
		}
		if s[i] == ':' {
			if compress >= 0 {
				return "", ErrInvalid
			}
			i++
			piece++
			compress = piece
			continue
		}
		value, length := 0, 0
		for length < 4 && i < len(s) && unhex(s[i]) >= 0 {
			value = value<<4 | unhex(s[i])
			i++
			length++
		}
		if at(i) == '.' && i < len(s) {
			if length == 0 || piece > 6 || !embeddedIPv4(s[i-length:], pieces[piece:piece+2]) {
				return "", ErrInvalid
			}
			piece += 2
			break
		}
		if i < len(s) {
			if s[i] != ':' {
				return "", ErrInvalid
			}
			if i++; i == len(s) {
				return "", ErrInvalid
			}
		}
		pieces[piece] = uint16(value)
		piece++
	}
	if compress >= 0 {
		moved := piece - compress
		for k := 0; k < moved; k++ {
			pieces[7-k], pieces[piece-1-k] = pieces[piece-1-k], pieces[7-k]
		}
	} else if piece != 8 {
		return "", ErrInvalid
	}
	return serializeIPv6(pieces), nil
}

// embeddedIPv4 reads the dotted four at the end of an IPv6 address: decimal, no leading zeros.
func embeddedIPv4(s string, out []uint16) bool {
	parts := strings.Split(s, ".")
	if len(parts) != 4 {
		return false
	}
	for k, part := range parts {
		if len(part) == 0 || len(part) > 3 || len(part) > 1 && part[0] == '0' {
			return false
		}
		n := 0
		for i := range len(part) {
			if part[i] < '0' || part[i] > '9' {
				return false
			}
			n = n*10 + int(part[i]-'0')
		}
		if n > 255 {
			return false
		}
		out[k/2] = out[k/2]<<8 | uint16(n)
	}
	return true
}

func serializeIPv6(pieces [8]uint16) string {
	bestAt, bestLen := -1, 1
	for i := 0; i < 8; {
		run := i
		for run < 8 && pieces[run] == 0 {
			run++
		}
		if run-i > bestLen {
			bestAt, bestLen = i, run-i
		}
		i = max(run, i+1)
	}
	b := []byte{'['}
	for i := 0; i < 8; i++ {
		if i == bestAt {
			b = append(b, ':')
			if i == 0 {
				b = append(b, ':')
			}
			i += bestLen - 1
			continue
		}
		b = strconv.AppendUint(b, uint64(pieces[i]), 16)
		if i < 7 {
			b = append(b, ':')
		}
	}
	return string(append(b, ']'))
}

package robots

// Matching: the longest pattern that fits decides, Allow wins a tie (RFC 9309, 2.2.2 and 2.2.3).

import "strings"

// rule is one pattern, cut at its wildcards. Both pattern and target are normalised first, so that they are compared
// octet by octet.
type rule struct {
	parts  []string // between the wildcards
	end    bool     // a $ at the end: the last part must be the target's end
	allow  bool
	length int // octets of the pattern
}

func newRule(pattern string, allow bool) rule {
	r := rule{allow: allow}
	if strings.HasSuffix(pattern, "$") {
		pattern, r.end = pattern[:len(pattern)-1], true
	}
	r.parts = strings.Split(pattern, "*")
	for i, part := range r.parts {
		r.parts[i] = normalise(part)
		r.length += len(r.parts[i])
	}
	r.length += len(r.parts) - 1
	if r.end {
		r.length++
	}
	return r
}

// Allowed tells whether the agent may ask for target: the path of a URL with its query, beginning with a slash.
// /robots.txt is always allowed.
func (r *Rules) Allowed(target string) bool {
	if target == "" {
		target = "/"
	}
	if target == "/robots.txt" {
		return true
	}
	target = normalise(target)
	best, allow := -1, true
	for i := range r.rules {
		k := &r.rules[i]
		if k.length < best || k.length == best && (allow || !k.allow) {
			continue
		}
		if k.match(target) {
			best, allow = k.length, k.allow
		}
	}
	return allow
}

func (r *rule) match(s string) bool {
	first, rest := r.parts[0], r.parts[1:]
	if !strings.HasPrefix(s, first) {
		return false
	}
	s = s[len(first):]
	if len(rest) == 0 {
		return !r.end || s == ""
	}
	last := len(rest) - 1
	for _, part := range rest[:last] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	if r.end {
		return strings.HasSuffix(s, rest[last])
	}
	return strings.Contains(s, rest[last])
}

const upperHex = "0123456789ABCDEF"

// normalise makes equal what means the same: escapes of unreserved characters are undone, other escapes are written in
// upper case, and what may not stand in a path is escaped, * and $ among them, so that an escaped one in a pattern
// matches a plain one in a target.
func normalise(s string) string {
	clean := true
	for i := 0; i < len(s) && clean; i++ {
		clean = plain(s[i])
	}
	if clean {
		return s
	}
	b := make([]byte, 0, len(s)+16)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '%' && i+2 < len(s) && unhex(s[i+1]) >= 0 && unhex(s[i+2]) >= 0:
			v := byte(unhex(s[i+1])<<4 | unhex(s[i+2]))
			i += 2
			if unreserved(v) {
				b = append(b, v)
				continue
			}
			c = v
		case plain(c):
			b = append(b, c)
			continue
		}
		b = append(b, '%', upperHex[c>>4], upperHex[c&15])
	}
	return string(b)
}

// plain characters stand for themselves in a normalised path.
func plain(c byte) bool {
	return unreserved(c) || c == '/' || strings.IndexByte(":?#[]@!&'()+,;=", c) >= 0
}

func unreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~'
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

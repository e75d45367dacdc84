package weburl

// SURT keys as the Python package surt 0.3.1 makes them with its default canonicaliser, which is a child of the
// Apache-licensed GoogleURLCanonicalizer and IAURLCanonicalizer of iipc/webarchive-commons: unescape until nothing
// changes, normalise dots and slashes, escape once, lower-case, strip www and session ids, sort the query, turn the host
// around. Written from their documented behaviour and from the program's answers.

import (
	"bytes"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Patterns of session ids, made when a URL first looks as if it had one.
var (
	surtPathID = sync.OnceValue(func() []*regexp.Regexp {
		return []*regexp.Regexp{
			regexp.MustCompile(`(?is)^(.*/)\((?:[a-z]\([0-9a-z]{24}\))+\)/([^?]+\.aspx.*)$`),
			regexp.MustCompile(`(?is)^(.*/)\([0-9a-z]{24}\)/([^?]+\.aspx.*)$`),
		}
	})
	surtQueryID = sync.OnceValue(func() []*regexp.Regexp {
		return []*regexp.Regexp{
			regexp.MustCompile(`(?is)^(.*)jsessionid=[0-9a-z]{32}(?:&(.*))?$`),
			regexp.MustCompile(`(?is)^(.*)phpsessid=[0-9a-z]{32}(?:&(.*))?$`),
			regexp.MustCompile(`(?is)^(.*)sid=[0-9a-z]{32}(?:&(.*))?$`),
			regexp.MustCompile(`(?is)^(.*)aspsessionid[a-z]{8}=[a-z]{24}(?:&(.*))?$`),
			regexp.MustCompile(`(?is)^(.*)cfid=[^&]+&cftoken=[^&]+(?:&(.*))?$`),
		}
	})
)

// SURT is the key under which Common Crawl's indexes sort a URL: "com,example)/path?query". It is "-" for the empty
// string and "" where the reference raises an exception (a port that is no number up to 65535).
func SURT(url string) string {
	if url == "" {
		return "-"
	}
	if strings.HasPrefix(url, "filedesc") {
		return url
	}
	s := strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(strings.Trim(url, " \t\n\v\f\r"))
	if s == "" {
		return ""
	}
	if _, _, ok := cutScheme(s); !ok {
		s = "http://" + s
	}
	for _, doubled := range []string{"http://http://", "https://https://", "http://https://"} {
		if strings.HasPrefix(s, doubled) {
			s = s[strings.Index(s, "//")+2:]
		}
	}
	scheme, s, _ := strings.Cut(s, ":")
	s, _, _ = strings.Cut(s, "#")
	s, query, _ := strings.Cut(s, "?")
	path, host, port, named := s, "", "", false
	if strings.HasPrefix(s, "//") {
		authority := s[2:]
		path = ""
		if i := strings.IndexByte(authority, '/'); i >= 0 {
			authority, path = authority[:i], authority[i:]
		}
		var ok bool
		if host, port, ok = surtAuthority(authority, strings.ToLower(scheme)); !ok {
			return ""
		}
		named = host != ""
		host = surtHost(host)
	}
	if rest := strings.TrimLeft(path, "/"); !named && rest != "" && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https")) {
		host, path = rest, "" // http:host/path, http:///host/path: what stands first is the host, colons and all
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			host, path = rest[:i], rest[i:]
		}
		host, port = surtHost(host), ""
	}
	b := make([]byte, 0, len(url)+16)
	if host == "" {
		b = append(append(b, scheme...), ':')
		if path = surtEscape(unescapeAll(path)); strings.Trim(path, "/") == "" && path != "" {
			path = "/"
		}
	} else {
		labels := strings.Split(host, ".")
		slices.Reverse(labels)
		b = append(b, strings.Join(labels, ",")...)
		b = append(append(b, port...), ')')
		path = surtEscape(surtPath(unescapeAll(path)))
	}
	if strings.IndexByte(path, '(') >= 0 {
		for _, id := range surtPathID() {
			if m := id.FindStringSubmatch(path); m != nil {
				path = m[1] + m[2]
			}
		}
	}
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	query = surtQuery(query)
	if path == "" && query != "" {
		path = "/"
	}
	b = append(b, strings.ToLower(path)...)
	if query != "" {
		b = append(append(b, '?'), query...)
	}
	return string(b)
}

// surtAuthority gives host and ":port" ("" for the scheme's own); ok is false when the port is no port.
func surtAuthority(s, scheme string) (host, port string, ok bool) {
	s = s[strings.LastIndexByte(s, '@')+1:]
	host, digits, _ := strings.Cut(s, ":")
	if i := strings.IndexByte(s, '['); i >= 0 {
		host, digits, _ = strings.Cut(s[i+1:], "]")
		_, digits, _ = strings.Cut(digits, ":")
	}
	if digits != "" && digits != ":" {
		n, err := strconv.ParseUint(digits, 10, 16)
		if err != nil {
			return "", "", false
		}
		if n != 0 && !(n == 80 && scheme == "http" || n == 443 && scheme == "https") {
			port = ":" + strconv.FormatUint(n, 10)
		}
	}
	return host, port, true
}

func surtHost(host string) string {
	host = idna2003(unescapeAll(host))
	host = strings.Trim(strings.ReplaceAll(host, "..", "."), ".")
	if ip, ok := surtIPv4(host); ok {
		return ip
	}
	host = strings.ToLower(surtEscape(host))
	if rest, ok := strings.CutPrefix(host, "www"); ok {
		if rest = strings.TrimLeft(rest, "0123456789"); strings.HasPrefix(rest, ".") {
			return rest[1:]
		}
	}
	return host
}

// surtIPv4 reads what inet_aton reads, except hexadecimal; a single number is decimal and taken modulo 2^32.
func surtIPv4(host string) (string, bool) {
	parts := strings.Split(host, ".")
	if host == "" || len(parts) > 4 || strings.Trim(host, "0123456789.") != "" {
		return "", false
	}
	var ip uint32
	if len(parts) == 1 {
		for i := range len(host) {
			ip = ip*10 + uint32(host[i]-'0')
		}
	} else {
		for i, part := range parts {
			base, bits := 10, 8
			if len(part) > 1 && part[0] == '0' {
				base = 8
			}
			if i == len(parts)-1 {
				bits = 8 * (4 - i)
			}
			n, err := strconv.ParseUint(part, base, bits)
			if err != nil {
				return "", false
			}
			if i == len(parts)-1 {
				ip |= uint32(n)
			} else {
				ip |= uint32(n) << (8 * (3 - i))
			}
		}
	}
	b := make([]byte, 0, 15)
	for shift := 24; shift >= 0; shift -= 8 {
		b = strconv.AppendUint(b, uint64(ip>>shift&255), 10)
		if shift > 0 {
			b = append(b, '.')
		}
	}
	return string(b), true
}

// surtPath resolves dot segments (a ".." that has nothing to remove stays, and is removed by a further one) and runs of
// slashes.
func surtPath(path string) string {
	if path == "" || path == "/" {
		return "/"
	}
	if strings.Contains(path, "/.") {
		var kept []string
		for _, segment := range strings.Split(path, "/")[1:] {
			switch {
			case segment == ".":
			case segment == ".." && len(kept) > 0:
				kept = kept[:len(kept)-1]
			default:
				kept = append(kept, segment)
			}
		}
		path = "/" + strings.Join(kept, "/")
	}
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	return path
}

// surtQuery strips session ids, lower-cases and sorts by name, then value.
func surtQuery(query string) string {
	if query == "" {
		return ""
	}
	query = surtEscape(unescapeAll(query))
	if lower := strings.ToLower(query); strings.Contains(lower, "sid=") || strings.Contains(lower, "sessionid") || strings.Contains(lower, "cfid=") {
		for _, id := range surtQueryID() {
			if m := id.FindStringSubmatch(query); m != nil {
				query = m[1] + m[2]
			}
		}
	}
	query = strings.ToLower(query)
	if !strings.Contains(query, "&") {
		return query
	}
	fields := strings.Split(query, "&")
	slices.SortStableFunc(fields, func(a, b string) int {
		aName, aValue, aHas := strings.Cut(a, "=")
		bName, bValue, bHas := strings.Cut(b, "=")
		if c := strings.Compare(aName, bName); c != 0 {
			return c
		}
		if aHas != bHas {
			if bHas {
				return -1
			}
			return 1
		}
		return strings.Compare(aValue, bValue)
	})
	return strings.Join(fields, "&")
}

// unescapeAll undoes %XX until nothing changes.
func unescapeAll(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	// One pass with a stack does it: a decoded byte may complete an escape with what stands before it.
	b := make([]byte, 0, len(s))
	for i := range len(s) {
		b = append(b, s[i])
		for len(b) >= 3 && b[len(b)-3] == '%' && unhex(b[len(b)-2]) >= 0 && unhex(b[len(b)-1]) >= 0 {
			c := byte(unhex(b[len(b)-2])<<4 | unhex(b[len(b)-1]))
			b = append(b[:len(b)-3], c)
		}
	}
	if bytes.IndexByte(b, '%') < 0 {
		return string(b)
	}
	for s = string(b); ; s = percentDecode(s) { // the rest: an escape that was completed from behind
		if next := percentDecode(s); next == s {
			return s
		}
	}
}

const lowerHex = "0123456789abcdef"

// surtEscape escapes controls, space, #, % and all from 0x7F on.
func surtEscape(s string) string {
	plain := true
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7F || c == '#' || c == '%' {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	b := make([]byte, 0, len(s)+16)
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7F || c == '#' || c == '%' {
			b = append(b, '%', lowerHex[c>>4], lowerHex[c&15])
		} else {
			b = append(b, c)
		}
	}
	return string(b)
}

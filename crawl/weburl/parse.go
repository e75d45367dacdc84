package weburl

// The basic URL parser of the standard, state by state, over UTF-8 bytes: every byte of a non-ASCII character is in every
// percent-encode set, so no decoding is needed outside hosts.

import (
	"strings"
	"unicode/utf8"
)

// Parse reads input, relative to base unless that is nil. The only error is ErrInvalid.
func Parse(input string, base *URL) (*URL, error) {
	in := clean(input)
	u := &URL{Port: -1}
	scheme, rest, ok := cutScheme(in)
	if !ok {
		return u.noScheme(in, base)
	}
	u.Scheme = scheme
	_, isSpecial := special(scheme)
	switch {
	case scheme == "file":
		return u.file(rest, base)
	case isSpecial && base != nil && base.Scheme == scheme && !strings.HasPrefix(rest, "//"):
		return u.relative(rest, base)
	case isSpecial:
		return u.authority(strings.TrimLeft(rest, `/\`))
	case strings.HasPrefix(rest, "//"):
		return u.authority(rest[2:])
	case strings.HasPrefix(rest, "/"):
		return u.path(rest[1:])
	}
	u.Opaque = true
	path, tail := cutAny(rest, "?#")
	u.Path = encode(path, setControl)
	if tail != "" && strings.HasSuffix(path, " ") {
		u.Path = u.Path[:len(u.Path)-1] + "%20" // so that it survives the removal of query and fragment
	}
	return u.queryFragment(tail)
}

// clean drops white space and controls at the ends, tabs and line breaks inside, and makes the text valid UTF-8.
func clean(s string) string {
	for len(s) > 0 && s[0] <= ' ' {
		s = s[1:]
	}
	for len(s) > 0 && s[len(s)-1] <= ' ' {
		s = s[:len(s)-1]
	}
	if strings.ContainsAny(s, "\t\n\r") {
		s = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(s)
	}
	if !utf8.ValidString(s) {
		s = string([]rune(s))
	}
	return s
}

// cutScheme reads "scheme:" from the start.
func cutScheme(s string) (scheme, rest string, ok bool) {
	upper := false
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z':
		case 'A' <= c && c <= 'Z':
			upper = true
		case i > 0 && ('0' <= c && c <= '9' || c == '+' || c == '-' || c == '.'):
		case i > 0 && c == ':':
			scheme = s[:i]
			if upper {
				scheme = strings.ToLower(scheme)
			}
			return scheme, s[i+1:], true
		default:
			return "", "", false
		}
	}
	return "", "", false
}

// cutAny splits before the first of the given bytes.
func cutAny(s, bytes string) (before, after string) {
	if i := strings.IndexAny(s, bytes); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

func (u *URL) noScheme(in string, base *URL) (*URL, error) {
	switch {
	case base == nil:
		return nil, ErrInvalid
	case base.Opaque:
		if !strings.HasPrefix(in, "#") {
			return nil, ErrInvalid
		}
		*u = *base
		return u.queryFragment(in)
	case base.Scheme == "file":
		u.Scheme = "file"
		return u.file(in, base)
	}
	u.Scheme = base.Scheme
	return u.relative(in, base)
}

// slash tells whether c separates segments here.
func (u *URL) slash(c byte) bool {
	if c == '/' {
		return true
	}
	_, isSpecial := special(u.Scheme)
	return c == '\\' && isSpecial
}

// relative is the relative state and the relative slash state.
func (u *URL) relative(s string, base *URL) (*URL, error) {
	_, isSpecial := special(u.Scheme)
	if len(s) > 0 && u.slash(s[0]) {
		if len(s) > 1 && u.slash(s[1]) {
			if isSpecial {
				return u.authority(strings.TrimLeft(s[2:], `/\`))
			}
			return u.authority(s[2:])
		}
		u.copyAuthority(base)
		return u.path(s[1:])
	}
	u.copyAuthority(base)
	u.Path, u.Query, u.HasQuery = base.Path, base.Query, base.HasQuery
	if s == "" || s[0] == '?' || s[0] == '#' {
		return u.queryFragment(s)
	}
	u.Query, u.HasQuery = "", false
	u.Path = shorten(u.Path, u.Scheme)
	return u.path(s)
}

func (u *URL) copyAuthority(base *URL) {
	u.Username, u.Password, u.Host, u.Port, u.HasHost = base.Username, base.Password, base.Host, base.Port, base.HasHost
}

// authority is the authority, host and port states: s begins after the slashes.
func (u *URL) authority(s string) (*URL, error) {
	defaultPort, isSpecial := special(u.Scheme)
	stop := "/?#"
	if isSpecial {
		stop = `/\?#`
	}
	auth, rest := cutAny(s, stop)
	if i := strings.LastIndexByte(auth, '@'); i >= 0 {
		user, password, _ := strings.Cut(auth[:i], ":")
		u.Username, u.Password = encode(user, setUserinfo), encode(password, setUserinfo)
		auth = auth[i+1:]
		if auth == "" {
			return nil, ErrInvalid
		}
	}
	host, port, hasPort := auth, "", false
	inside := false
	for i := range len(auth) {
		switch auth[i] {
		case '[':
			inside = true
		case ']':
			inside = false
		case ':':
			if !inside {
				host, port, hasPort = auth[:i], auth[i+1:], true
			}
		}
		if hasPort {
			break
		}
	}
	if host == "" && (isSpecial || hasPort) {
		return nil, ErrInvalid
	}
	var err error
	if u.Host, err = parseHost(host, isSpecial); err != nil {
		return nil, err
	}
	u.HasHost = true
	if port != "" {
		n := 0
		for i := range len(port) {
			if port[i] < '0' || port[i] > '9' {
				return nil, ErrInvalid
			}
			if n = n*10 + int(port[i]-'0'); n > 65535 {
				return nil, ErrInvalid
			}
		}
		if n != defaultPort {
			u.Port = n
		}
	}
	return u.pathStart(rest)
}

// pathStart is the path start state: one slash is passed over.
func (u *URL) pathStart(s string) (*URL, error) {
	if _, isSpecial := special(u.Scheme); !isSpecial && (s == "" || s[0] == '?' || s[0] == '#') {
		return u.queryFragment(s)
	}
	if len(s) > 0 && u.slash(s[0]) {
		s = s[1:]
	}
	return u.path(s)
}

// path is the path state; u.Path holds what the segments are added to.
func (u *URL) path(s string) (*URL, error) {
	_, isSpecial := special(u.Scheme)
	path, tail := cutAny(s, "?#")
	var short [128]byte // on the stack: most paths fit
	b := append(short[:0], u.Path...)
	for {
		end := strings.IndexByte(path, '/')
		if isSpecial {
			end = strings.IndexAny(path, `/\`)
		}
		last := end < 0
		segment := path
		if !last {
			segment, path = path[:end], path[end+1:]
		}
		switch dots(segment) {
		case 2:
			b = shorten(b, u.Scheme)
			if last {
				b = append(b, '/')
			}
		case 1:
			if last {
				b = append(b, '/')
			}
		default:
			drive := u.Scheme == "file" && len(b) == 0 && len(segment) == 2 && startsWithDrive(segment)
			b = appendEncoded(append(b, '/'), segment, setPath)
			if drive {
				b[len(b)-1] = ':'
			}
		}
		if last {
			u.Path = string(b)
			return u.queryFragment(tail)
		}
	}
}

// dots: 1 for a single-dot segment, 2 for a double-dot one, also written with %2e; else 0.
func dots(s string) int {
	n := 0
	for ; s != ""; n++ {
		switch {
		case s[0] == '.':
			s = s[1:]
		case len(s) >= 3 && s[0] == '%' && s[1] == '2' && s[2]|0x20 == 'e':
			s = s[3:]
		default:
			return 0
		}
	}
	if n > 2 {
		return 0
	}
	return n
}

// shorten removes the last segment, but not the drive letter of a file URL.
func shorten[T string | []byte](path T, scheme string) T {
	if scheme == "file" && len(path) == 3 && path[2] == ':' && startsWithDrive(string(path[1:])) {
		return path
	}
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '/' {
			return path[:i]
		}
	}
	return path
}

// queryFragment reads "?query" and "#fragment"; what is not there keeps what u has.
func (u *URL) queryFragment(s string) (*URL, error) {
	if s == "" {
		return u, nil
	}
	if s[0] == '?' {
		query, tail := cutAny(s[1:], "#")
		set := setQuery
		if _, isSpecial := special(u.Scheme); isSpecial {
			set = setSpecialQuery
		}
		u.Query, u.HasQuery = encode(query, set), true
		s = tail
	}
	if s != "" {
		u.Fragment, u.HasFragment = encode(s[1:], setFragment), true
	}
	return u, nil
}

// file is the file, file slash and file host states.
func (u *URL) file(s string, base *URL) (*URL, error) {
	u.HasHost = true
	if base != nil && base.Scheme != "file" {
		base = nil
	}
	if s == "" || !u.slash(s[0]) {
		if base == nil {
			return u.path(s)
		}
		u.Host, u.Path, u.Query, u.HasQuery = base.Host, base.Path, base.Query, base.HasQuery
		if s == "" || s[0] == '?' || s[0] == '#' {
			return u.queryFragment(s)
		}
		u.Query, u.HasQuery = "", false
		if startsWithDrive(s) {
			u.Path = ""
		} else {
			u.Path = shorten(u.Path, "file")
		}
		return u.path(s)
	}
	if len(s) < 2 || !u.slash(s[1]) {
		if base != nil {
			u.Host = base.Host
			if !startsWithDrive(s[1:]) && len(base.Path) >= 3 && base.Path[2] == ':' && startsWithDrive(base.Path[1:]) {
				u.Path = base.Path[:3]
			}
		}
		return u.path(s[1:])
	}
	host, rest := cutAny(s[2:], `/\?#`)
	if len(host) == 2 && startsWithDrive(host) {
		return u.path(s[2:])
	}
	if host != "" {
		var err error
		if u.Host, err = parseHost(host, true); err != nil {
			return nil, err
		}
		if u.Host == "localhost" {
			u.Host = ""
		}
	}
	return u.pathStart(rest)
}

// startsWithDrive: a letter, then : or |, then the end or one of / \ ? #.
func startsWithDrive(s string) bool {
	if len(s) < 2 || s[0]|0x20 < 'a' || s[0]|0x20 > 'z' || s[1] != ':' && s[1] != '|' {
		return false
	}
	return len(s) == 2 || strings.IndexByte(`/\?#`, s[2]) >= 0
}

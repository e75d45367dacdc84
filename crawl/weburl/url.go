package weburl

// The URL record of the standard and its serialisation. A list path is kept as the string it serialises to ("/a/b"):
// no segment can hold a slash, so nothing is lost.

import (
	"errors"
	"strconv"
	"strings"
)

// ErrInvalid is the failure of the standard's parser.
var ErrInvalid = errors.New("not a valid URL")

// URL is a parsed URL. The fields are as they serialise, percent-encoded; Host is without port, with the brackets of
// IPv6.
type URL struct {
	Scheme             string
	Username, Password string
	Host               string
	Port               int // -1: none, or the scheme's default
	Path               string
	Query, Fragment    string

	HasHost, HasQuery, HasFragment bool
	Opaque                         bool // the path is one opaque string (mailto:, data:, ...)
}

// String is the href: the URL's serialisation with fragment.
func (u *URL) String() string {
	var b strings.Builder
	b.Grow(len(u.Scheme) + len(u.Username) + len(u.Password) + len(u.Host) + len(u.Path) + len(u.Query) + len(u.Fragment) + 16)
	b.WriteString(u.Scheme)
	b.WriteByte(':')
	if u.HasHost {
		b.WriteString("//")
		if u.Username != "" || u.Password != "" {
			b.WriteString(u.Username)
			if u.Password != "" {
				b.WriteByte(':')
				b.WriteString(u.Password)
			}
			b.WriteByte('@')
		}
		b.WriteString(u.Host)
		if u.Port >= 0 {
			b.WriteByte(':')
			b.WriteString(strconv.Itoa(u.Port))
		}
	} else if !u.Opaque && len(u.Path) > 1 && u.Path[1] == '/' {
		b.WriteString("/.")
	}
	b.WriteString(u.Path)
	if u.HasQuery {
		b.WriteByte('?')
		b.WriteString(u.Query)
	}
	if u.HasFragment {
		b.WriteByte('#')
		b.WriteString(u.Fragment)
	}
	return b.String()
}

// special tells whether a scheme has the rules of http, and its default port (-1 for file).
func special(scheme string) (port int, ok bool) {
	switch scheme {
	case "http", "ws":
		return 80, true
	case "https", "wss":
		return 443, true
	case "ftp":
		return 21, true
	case "file":
		return -1, true
	}
	return -1, false
}

package fetch

// Rules of --connect-to: curl's HOST1:PORT1:HOST2:PORT2, with * allowed in HOST1.

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// ConnectRule sends the connections for Host:Port to Addr:AddrPort. An empty field matches everything or changes
// nothing, as in curl. A * in Host stands for any run of characters.
type ConnectRule struct {
	Host, Port     string
	Addr, AddrPort string
}

// ParseConnectTo reads HOST:PORT:ADDR:PORT; IPv6 addresses stand in brackets.
func ParseConnectTo(s string) (ConnectRule, error) {
	fail := func(why string) (ConnectRule, error) {
		return ConnectRule{}, fmt.Errorf("--connect-to %q: %s; it must be HOST:PORT:ADDR:PORT, such as *.test:80:127.0.0.1:8800", s, why)
	}
	var parts []string
	for rest, more := s, true; more; {
		var part string
		if strings.HasPrefix(rest, "[") {
			end := strings.IndexByte(rest, ']')
			if end < 0 {
				return fail("a [ is not closed")
			}
			part, rest = rest[:end+1], rest[end+1:]
			if _, err := netip.ParseAddr(part[1:end]); err != nil {
				return fail(part + " is not an address")
			}
			if rest != "" && rest[0] != ':' {
				return fail("there is something after ]")
			}
			rest, more = strings.TrimPrefix(rest, ":"), rest != ""
		} else {
			part, rest, more = strings.Cut(rest, ":")
		}
		parts = append(parts, part)
	}
	if len(parts) != 4 {
		return fail(fmt.Sprintf("it has %d parts", len(parts)))
	}
	for _, port := range []string{parts[1], parts[3]} {
		if port == "" {
			continue
		}
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return fail("port " + port + " is no number from 1 to 65535")
		}
	}
	if strings.Contains(parts[2], "*") {
		return fail("* can stand in HOST only")
	}
	return ConnectRule{Host: strings.ToLower(parts[0]), Port: parts[1], Addr: parts[2], AddrPort: parts[3]}, nil
}

// match tells whether the rule is for host (lower case, IPv6 in brackets) and port.
func (r ConnectRule) match(host, port string) bool {
	return (r.Port == "" || r.Port == port) && (r.Host == "" || glob(r.Host, host))
}

// names tells whether the rule names a host or an address: only such a rule may lead to a private address.
func (r ConnectRule) names() bool { return strings.Trim(r.Host, "*") != "" || r.Addr != "" }

// target is where to connect for host and port.
func (r ConnectRule) target(host, port string) (string, string) {
	if r.Addr != "" {
		host = r.Addr
	}
	if r.AddrPort != "" {
		port = r.AddrPort
	}
	return host, port
}

// glob matches s against a pattern in which * stands for any run of characters.
func glob(pattern, s string) bool {
	head, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == s
	}
	if !strings.HasPrefix(s, head) {
		return false
	}
	s = s[len(head):]
	for {
		middle, more, star := strings.Cut(rest, "*")
		if !star {
			return strings.HasSuffix(s, rest)
		}
		i := strings.Index(s, middle)
		if i < 0 {
			return false
		}
		s, rest = s[i+len(middle):], more
	}
}

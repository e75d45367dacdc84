package fetch

// Connecting: where to (ConnectTo, proxy, DNS), whether it may be (public addresses only), and in what time.

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

// refusal ends a URL with an outcome before there is a connection.
type refusal struct {
	outcome Outcome
	detail  string
	again   bool // worth another attempt
}

func (r *refusal) Error() string { return r.detail }

type dialer struct {
	rules   []ConnectRule
	proxy   string // host:port of the proxy, which the user named and may be anywhere
	dns     *dnsCache
	timeout time.Duration
}

// rule is the ConnectTo rule for a URL's own host and port, or nil.
func (d *dialer) rule(host, port string) *ConnectRule {
	for i := range d.rules {
		if d.rules[i].match(host, port) {
			return &d.rules[i]
		}
	}
	return nil
}

// dial connects to addr, the host and port of a URL. It is the only way to a socket.
func (d *dialer) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	open := d.proxy != "" && addr == d.proxy
	if !open {
		bracketed := host
		if strings.Contains(host, ":") {
			bracketed = "[" + host + "]"
		}
		if r := d.rule(bracketed, port); r != nil {
			host, port = r.target(bracketed, port)
			host = strings.Trim(host, "[]")
			open = r.names()
		}
	}
	if !open && !publicName(host) {
		return nil, &refusal{outcome: RedirectRefused, detail: host + " is not a public address"}
	}
	addrs, err := d.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	if !open {
		allowed := addrs[:0:0]
		for _, a := range addrs {
			if public(a) {
				allowed = append(allowed, a)
			}
		}
		if len(allowed) == 0 {
			return nil, &refusal{outcome: RedirectRefused, detail: fmt.Sprintf("%s is at %s, which is not a public address", host, addrs[0].Unmap())}
		}
		addrs = allowed
	}
	return d.connect(ctx, addrs, host, port)
}

func (d *dialer) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	name := strings.TrimSuffix(strings.ToLower(host), ".")
	if strings.HasSuffix(name, ".invalid") || strings.HasSuffix(name, ".onion") || name == "" || len(name) > 253 {
		// RFC 6761 and 7686: such names are never in the DNS.
		return nil, &refusal{outcome: DNS, detail: "no host has the name " + short(name, 100)}
	}
	addrs, err := d.dns.lookup(ctx, name)
	switch {
	case err == nil:
		return addrs, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case noSuchHost(err):
		return nil, &refusal{outcome: DNS, detail: "no such host: " + name}
	}
	return nil, &refusal{outcome: DNS, detail: fmt.Sprintf("looking up %s: %s", name, reason(err)), again: true}
}

// connect tries the addresses in turn; each gets an equal share of the time that is left.
func (d *dialer) connect(ctx context.Context, addrs []netip.Addr, host, port string) (net.Conn, error) {
	end := time.Now().Add(d.timeout)
	var failed error
	for i, a := range addrs {
		left := time.Until(end)
		if left <= 0 {
			break
		}
		nd := net.Dialer{Timeout: max(left/time.Duration(len(addrs)-i), min(left, d.timeout/4)), KeepAlive: -1}
		conn, err := nd.DialContext(ctx, "tcp", net.JoinHostPort(a.String(), port))
		if err == nil {
			return conn, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if failed == nil || !errors.Is(err, syscall.ENETUNREACH) {
			failed = err
		}
	}
	return nil, &refusal{outcome: Connect, detail: fmt.Sprintf("connecting to %s port %s: %s", host, port, reason(failed))}
}

// reason is the innermost words of a network error, without the addresses that make every text different.
func reason(err error) string {
	var timeout net.Error
	var dns *net.DNSError
	var errno syscall.Errno
	switch {
	case err == nil:
		return "no time left"
	case errors.As(err, &dns) && !dns.IsTimeout:
		return dns.Err
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timed out"
	case errors.As(err, &errno):
		return errno.Error()
	}
	return err.Error()
}

// short cuts a text from outside to at most n bytes.
func short(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "..."
}

package fetch

// Which addresses may be connected to: the public ones. Sources: IANA's IPv4 and IPv6 Special-Purpose Address
// Registries (RFC 6890 and its updates).

import (
	"net/netip"
	"strings"
)

var closedV4 = prefixes(
	"0.0.0.0/8",       // this network
	"10.0.0.0/8",      // private
	"100.64.0.0/10",   // carrier-grade NAT
	"127.0.0.0/8",     // loopback
	"169.254.0.0/16",  // link-local, cloud metadata
	"172.16.0.0/12",   // private
	"192.0.0.0/24",    // protocol assignments
	"192.0.2.0/24",    // documentation
	"192.88.99.0/24",  // 6to4 relays, withdrawn
	"192.168.0.0/16",  // private
	"198.18.0.0/15",   // benchmarks
	"198.51.100.0/24", // documentation
	"203.0.113.0/24",  // documentation
	"224.0.0.0/4",     // multicast
	"240.0.0.0/4",     // reserved, broadcast
)

var closedV6 = prefixes( // within 2000::/3, all else but NAT64 is closed anyway
	"2001::/23",     // protocol assignments: Teredo, ORCHID, benchmarks
	"2001:db8::/32", // documentation
	"3fff::/20",     // documentation
)

var (
	globalV6  = netip.MustParsePrefix("2000::/3")
	nat64     = netip.MustParsePrefix("64:ff9b::/96")
	sixToFour = netip.MustParsePrefix("2002::/16")
)

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

// public tells whether a is an address of the public internet. Addresses that carry an IPv4 address (mapped, NAT64,
// 6to4) are as public as that one.
func public(a netip.Addr) bool {
	if a.Zone() != "" {
		return false
	}
	a = a.Unmap()
	if a.Is4() {
		return a.IsValid() && !within(a, closedV4)
	}
	b := a.As16()
	switch {
	case !a.IsValid():
		return false
	case nat64.Contains(a):
		return public(netip.AddrFrom4([4]byte(b[12:16])))
	case sixToFour.Contains(a):
		return public(netip.AddrFrom4([4]byte(b[2:6])))
	}
	return globalV6.Contains(a) && !within(a, closedV6)
}

func within(a netip.Addr, list []netip.Prefix) bool {
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// publicName tells whether a host is public as far as its name tells: an address is as public as it is, and some names
// are of the machine or the house by definition (RFC 6761, 6762, 8375; "internal" by ICANN). Behind a proxy, which looks
// names up itself, nothing more can be told.
func publicName(host string) bool {
	if a, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return public(a)
	}
	name := strings.TrimSuffix(host, ".")
	for _, local := range []string{"localhost", "local", "internal", "home.arpa"} {
		if name == local || strings.HasSuffix(name, "."+local) {
			return false
		}
	}
	return true
}

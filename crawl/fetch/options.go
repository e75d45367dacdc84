package fetch

// What a user can set, and the defaults of the contract.

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Options says how to fetch. The zero value of every field means its default.
type Options struct {
	Contact string // e-mail address or URL of who runs this; it stands in the User-Agent (and an address in From)
	Version string // the program's version, default "dev"

	PerHost     int     // requests and connections to one host at a time, default 2
	PerHostRate float64 // requests a second to one host, default 10
	Connections int     // requests and connections to all hosts at a time, default 512
	Lookups     int     // DNS look-ups at a time, default 64

	DNSTimeout       time.Duration // default 5 s
	ConnectTimeout   time.Duration // default 5 s
	TLSTimeout       time.Duration // default 5 s
	FirstByteTimeout time.Duration // from the request to the whole header of the answer, default 10 s
	StallTimeout     time.Duration // between two reads of a body, default 10 s
	TotalTimeout     time.Duration // network time of one attempt with all its hops, default 60 s; waiting for a turn does not count

	Redirects     int           // hops of one attempt, default 5; negative for none
	MaxBytes      int64         // of a body, on the wire and unpacked, default 20 MiB
	Attempts      int           // default 3
	Backoff       time.Duration // before the second attempt, doubled before each further one, with jitter; default 1 s
	MaxRetryAfter time.Duration // a longer Retry-After is not waited for: the URL keeps its http_NNN; default 60 s

	ConnectTo []ConnectRule // where to connect instead, the first that matches; such a hop may be a private address
	Proxy     *url.URL      // http, https or socks5: every hop goes through it but those that ConnectTo names

	Memory   int64  // bytes of bodies held at a time, default 256 MiB, at least 4 MaxBytes
	SpillDir string // where URLs wait that are too many for memory, default os.TempDir()

	RootCAs  *x509.CertPool // default: the system's
	Resolver Resolver       // default: a net.Resolver with PreferGo
}

// Resolver looks up addresses; *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

func (o *Options) setDefaults() error {
	number(&o.PerHost, 2)
	number(&o.PerHostRate, 10)
	number(&o.Connections, 512)
	number(&o.Lookups, 64)
	number(&o.DNSTimeout, 5*time.Second)
	number(&o.ConnectTimeout, 5*time.Second)
	number(&o.TLSTimeout, 5*time.Second)
	number(&o.FirstByteTimeout, 10*time.Second)
	number(&o.StallTimeout, 10*time.Second)
	number(&o.TotalTimeout, 60*time.Second)
	number(&o.Redirects, 5)
	number(&o.MaxBytes, 20<<20)
	number(&o.Attempts, 3)
	number(&o.Backoff, time.Second)
	number(&o.MaxRetryAfter, 60*time.Second)
	number(&o.Memory, 256<<20)
	o.Memory = max(o.Memory, 4*o.MaxBytes)
	if o.Version == "" {
		o.Version = "dev"
	}
	for _, bad := range []struct {
		name string
		is   bool
	}{
		{"PerHost", o.PerHost < 0}, {"PerHostRate", o.PerHostRate < 0}, {"Connections", o.Connections < 0}, {"Lookups", o.Lookups < 0},
		{"MaxBytes", o.MaxBytes < 0}, {"Attempts", o.Attempts < 0}, {"a timeout", min(o.DNSTimeout, o.ConnectTimeout, o.TLSTimeout,
			o.FirstByteTimeout, o.StallTimeout, o.TotalTimeout, o.Backoff, o.MaxRetryAfter) < 0},
	} {
		if bad.is {
			return fmt.Errorf("fetch: %s is negative", bad.name)
		}
	}
	for _, c := range o.Contact + o.Version {
		if c < 0x20 || c > 0x7e || c == '(' || c == ')' {
			return fmt.Errorf("fetch: contact %q: only printable ASCII without parentheses can stand in a User-Agent", o.Contact)
		}
	}
	if o.Proxy != nil {
		switch o.Proxy.Scheme {
		case "http", "https", "socks5", "socks5h":
		default:
			return fmt.Errorf("fetch: proxy %s: the scheme must be http, https or socks5", o.Proxy.Redacted())
		}
		if o.Proxy.Hostname() == "" {
			return fmt.Errorf("fetch: proxy %s: no host", o.Proxy.Redacted())
		}
	}
	return nil
}

func number[T int | int64 | float64 | time.Duration](v *T, value T) {
	if *v == 0 {
		*v = value
	}
}

// Agent is the product token that robots.txt and X-Robots-Tag know us by.
const Agent = "mmc4"

// UserAgent is what every request says: mmc4/VERSION (+CONTACT).
func (o *Options) UserAgent() string {
	ua := Agent + "/" + o.Version
	if o.Contact != "" {
		ua += " (+" + o.Contact + ")"
	}
	return ua
}

// from is the From header: who runs the robot, if that is an address (RFC 9110, 10.1.2).
func (o *Options) from() string {
	if strings.Contains(o.Contact, "@") && !strings.Contains(o.Contact, "/") {
		return strings.TrimPrefix(o.Contact, "mailto:")
	}
	return ""
}

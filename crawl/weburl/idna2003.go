package weburl

// Host names in the SURT keys follow IDNA 2003 (RFC 3490), which is what Python's codec "idna" speaks.

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/bidi"
)

// transitional maps as IDNA 2003 does: sharp s to ss, joiners away.
var transitional = idna.New(
	idna.MapForLookup(),
	idna.Transitional(true),
	idna.StrictDomainName(false),
	idna.CheckHyphens(false),
	idna.CheckJoiners(false),
	idna.VerifyDNSLength(false),
)

// idna2003 encodes a host that is not ASCII, label by label; a host with a label that the codec would refuse comes back
// unchanged, as the reference does. Bytes that are not UTF-8 are dropped.
func idna2003(host string) string {
	if isASCII(host) {
		return host
	}
	labels := strings.Split(strings.NewReplacer("\u3002", ".", "\uff0e", ".", "\uff61", ".").Replace(strings.ToValidUTF8(host, "")), ".")
	trailing := labels[len(labels)-1] == ""
	if trailing {
		labels = labels[:len(labels)-1]
	}
	for i, label := range labels {
		if !isASCII(label) {
			out, err := transitional.ToASCII(label)
			if err != nil || !bidi2003(out) {
				return host
			}
			labels[i] = out
		}
		if labels[i] == "" || len(labels[i]) > 63 {
			return host
		}
	}
	if trailing {
		labels = append(labels, "")
	}
	return strings.Join(labels, ".")
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// bidi2003 is the rule of RFC 3454, section 6: a label with right-to-left letters has no left-to-right ones, and begins
// and ends with a right-to-left letter.
func bidi2003(label string) bool {
	if !strings.HasPrefix(label, "xn--") {
		return true
	}
	text, err := transitional.ToUnicode(label)
	if err != nil {
		return true
	}
	var rtl, ltr, first, last bool
	for i, r := range text {
		p, _ := bidi.LookupRune(r)
		isRTL := p.Class() == bidi.R || p.Class() == bidi.AL
		rtl, ltr = rtl || isRTL, ltr || p.Class() == bidi.L
		if i == 0 {
			first = isRTL
		}
		last = isRTL
	}
	return !rtl || !ltr && first && last
}

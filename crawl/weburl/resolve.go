package weburl

// What a page does with a reference: resolve it against page and <base>, and say why there is no URL to fetch.

import "strings"

// Reasons why a reference gives no URL that can be fetched.
const (
	WhyEmpty   = "empty"   // nothing but white space
	WhyData    = "data"    // a data: URL
	WhyInvalid = "invalid" // the standard's parser fails
	WhyScheme  = "scheme"  // another scheme than http and https
)

// Base is what the references of one page are resolved against.
type Base struct {
	url *URL // nil when the page's URL does not parse
}

// NewBase makes the base of a page: the href of its first <base> ("" for none), itself resolved against the page's URL
// and passed over when it does not parse. (Browsers pass over data: and javascript: bases too; the goldens do not, and
// nothing resolves against these.)
func NewBase(page, baseHref string) Base {
	own, _ := Parse(page, nil)
	if baseHref == "" {
		return Base{own}
	}
	u, err := Parse(baseHref, own)
	if err != nil {
		return Base{own}
	}
	return Base{u}
}

// String is the serialised base URL, or "" when there is none.
func (b Base) String() string {
	if b.url == nil {
		return ""
	}
	return b.url.String()
}

// Parse reads ref against the base.
func (b Base) Parse(ref string) (*URL, error) { return Parse(ref, b.url) }

// Resolve gives the absolute URL of ref with its fragment. When there is no http(s) URL, href is "" and why is one of
// the Why constants.
func (b Base) Resolve(ref string) (href, why string) {
	value := strings.Trim(ref, " \t\n\f\r")
	if value == "" {
		return "", WhyEmpty
	}
	if len(value) >= 5 && strings.EqualFold(value[:5], "data:") {
		return "", WhyData
	}
	u, err := Parse(value, b.url)
	if err != nil {
		return "", WhyInvalid
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return "", WhyScheme
	}
	return u.String(), ""
}

// Resolve is NewBase(page, base).Resolve(ref): use a Base for more than one reference of a page.
func Resolve(page, base, ref string) (href, why string) { return NewBase(page, base).Resolve(ref) }

// StripFragment cuts a serialised URL before its first "#".
func StripFragment(href string) string {
	if i := strings.IndexByte(href, '#'); i >= 0 {
		return href[:i]
	}
	return href
}

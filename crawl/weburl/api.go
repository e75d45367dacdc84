package weburl

// Reasons why a reference gives no URL that can be fetched.
const (
	WhyEmpty   = "empty"   // nothing but white space
	WhyData    = "data"    // a data: URL
	WhyInvalid = "invalid" // the standard's parser fails
	WhyScheme  = "scheme"  // another scheme than http and https
)

// Resolve gives the absolute URL of ref on a page. base is the href of the page's <base> ("" for none); it is itself
// resolved against page, and passed over when it does not parse. The href keeps its fragment; see StripFragment. When
// there is no http(s) URL, href is "" and why says so.
func Resolve(page, base, ref string) (href, why string) { return "", "" }

// StripFragment cuts a serialised URL before its first "#".
func StripFragment(href string) string { return href }

// SURT is the key under which Common Crawl's indexes sort a URL: "com,example)/path?query".
func SURT(url string) string { return "" }

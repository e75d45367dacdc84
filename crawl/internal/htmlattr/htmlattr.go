// Package htmlattr undoes character references as the HTML standard reads them in attribute values: "&copy=1" stays, which
// it does not in text.
package htmlattr

import (
	"strings"

	"golang.org/x/net/html"
)

// Unescape gives the value of an attribute that is written as s between its quotes: references undone, line breaks as LF.
func Unescape(s string) string {
	if strings.IndexByte(s, '&') < 0 {
		if strings.IndexByte(s, '\r') >= 0 {
			s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
		}
		return s
	}
	z := html.NewTokenizer(strings.NewReader(`<i t="` + strings.ReplaceAll(s, `"`, "&quot;") + `">`))
	if z.Next() == html.StartTagToken {
		z.TagName()
		if key, value, _ := z.TagAttr(); string(key) == "t" {
			return string(value)
		}
	}
	return s
}

// Package weburl reads URLs as browsers do (WHATWG URL standard) and makes the SURT keys of Common Crawl's indexes.
//
// Parse and Resolve follow https://url.spec.whatwg.org/ (2025): backslashes, tabs, missing slashes, percent-encode sets,
// IPv4 and IPv6 forms, UTS 46. They are held to whatwg-url 16 by the goldens "urls". SURT follows the canonicaliser of
// the Python package surt 0.3.1 (a child of iipc/webarchive-commons), held to it by the goldens "surt".
package weburl

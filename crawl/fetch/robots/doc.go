// Package robots reads robots.txt as RFC 9309 says.
//
// Where the RFC leaves room, the reading that the site's owner plainly meant is taken: a byte order mark is skipped, a
// missing colon and common misspellings of "disallow" count, and lines with other keys (Sitemap, Host, ...) change
// nothing. Crawl-delay is not in the RFC; it is read because so many sites state their wish with it.
package robots

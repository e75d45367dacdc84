// Package crawl is the room of Common Crawl and the live web. It holds no code of its own:
//
//	c4       documents of the C4 corpus (url, timestamp, text)
//	warc     WARC, WET and WAT records: members with offsets, HTTP messages, decoded bodies, digests
//	wat      pages and their links out of WAT files
//	weburl   URLs as browsers read them (WHATWG), and SURT keys
//	page     image candidates of a page, by its WAT or by its HTML
//	ccindex  Common Crawl's indexes (columnar Parquet, CDXJ) and ranged reading of WARC records
//	fetch    pictures from the live web
//
// All of them read foreign bytes: bad input is an error or a recorded reason, never a panic.
package crawl

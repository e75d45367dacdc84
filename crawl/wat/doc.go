// Package wat reads pages and their links out of Common Crawl's WAT files (WARC files of JSON metadata records).
//
// Only the envelopes of response records are pages. Values come with HTML entities undone where the crawl is older than
// CC-MAIN-2019-26, whose writer left them in; see Entities. Numbers may be JSON strings, values may be lists. Sources:
// ExtractingParseObserver of commoncrawl/ia-web-commons, and the goldens wat.links.
package wat

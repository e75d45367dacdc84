// Package ccindex looks up captures in Common Crawl's indexes, and reads their WARC records by ranges.
//
// Two forms of the index are read: the columnar one (Parquet, sorted by SURT key, 28 to 32 columns) and CDXJ (gzip blocks beside a
// cluster.idx). Both answer a sorted list of SURT keys in one pass and read only what can hold one of them. Sources: the
// schema of commoncrawl/cc-index-table, the ZipNum format of webrecorder/pywb.
//
// Common Crawl asks for few requests: a look-up reads neighbouring blocks as one range, and ReadRecords joins ranges of a
// WARC file that lie close together. Pace and retries (on 503 at most once a second, no retries of 4xx) are those of the
// io.ReaderAt, which internal/storage gives.
package ccindex

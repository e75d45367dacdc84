// Package ccindex looks up captures in Common Crawl's indexes, and reads their WARC records by ranges.
//
// Two forms of the index are read: the columnar one (Parquet, sorted by SURT key) and CDXJ (gzip blocks beside a
// cluster.idx). Both answer a sorted list of SURT keys in one pass and read only what can hold one of them.
package ccindex

// Package warc reads WARC files (also WET and WAT, which are WARC files): plain, gzip with a member a record (or any
// other cut), and zstd with an optional dictionary in a first skippable frame.
//
// Every record comes with the place of its compressed member, so that it can be read again by a range request. Records
// that cannot be read are skipped, counted by reason in Stats, and reading goes on at the next member (or, without
// compression, at the next line that starts a record). Sources: ISO 28500 (WARC 1.0 and 1.1), the zstd WARC
// specification of the IIPC; behaviour at odd corners follows warcio 1.8 and FastWARC 2.0.
package warc

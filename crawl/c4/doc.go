// Package c4 reads the documents of the C4 corpus: JSON lines with url, timestamp and text, plain, gzip (also with
// several members) or zstd. The compression is told by the first bytes, not by the name.
//
// A bad line is a Record with its number and the reason; reading goes on. Only a damaged stream ends it, with an error
// that names the file and the line. Source of the format: the data card of allenai/c4.
package c4

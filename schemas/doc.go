// Package schemas holds the records of a run and the forms they are kept in.
//
// Three tables make a run's product: docs (Document), rejects (Reject) and images (ImageRow); a run over lists has pairs
// (Pair) in place of docs. Each is a folder of Parquet shards. The struct tags in document.go, reject.go, image.go and pairs.go
// are the schema, column for column.
//
//   - Parquet: NewWriter (write.go); rows by NewReader (read.go, rows.go), columns by NewColumnReader (columns.go), both over the
//     same walk of pages (groups.go, pages.go) and a few large reads of the file (window.go). CheckSchema names every difference
//     (check.go). The same rows give the same bytes: no clock, no host and no random number gets into a file.
//   - Arrow record batches and IPC files, the exchange form: Batch, Documents, WriteIPC (arrow.go, ipc.go).
//   - WebDataset, pairs as tars: WebDatasetWriter (webdataset.go).
//   - Lists of pairs, which others made: ReadParquetList, ReadList (pairlist*.go).
//   - MMC4's own JSON lines: JSONLWriter, WriteJSONL, ReadJSONL, ReadUnsplitJSONL (jsonl*.go).
//
// Foreign bytes never crash a reader: what a Parquet file announces is looked at before the library believes it (open.go, guard.go,
// thrift.go), parquet-go is called under recover, and what it panics with becomes an error.
package schemas

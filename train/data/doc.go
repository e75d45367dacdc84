// Package data turns documents into training samples: it reads shards by row groups, in a global order that depends on
// nothing but a seed, builds sequences by open_flamingo's rules on worker goroutines, and hands them out in that order.
//
//	source, err := data.OpenDocuments(ctx, []string{"s3://bucket/run/docs/*.parquet"}, storage.Options{})
//	stream, err := data.NewStream(ctx, source, maker, data.StreamOptions{Seed: 1, Window: 4, Workers: 2, Prefetch: 64}, data.Position{})
//	sample, err := stream.Next(ctx)      // in the same order for any number of workers
//	at := stream.Position()              // where another stream goes on after that sample
//
// A Source is a set of documents in blocks that can be read in any order (row groups of Parquet, spans of a file). A Maker
// makes a sample of a document, or says by which rule there is none. What is left out is a counted Reject with the
// document's id; no document takes others of its batch with it.
//
// Sequence rules (interleaved.go, pairs.go, labels.go) are those of open_flamingo 2.0.1 with its defects repaired;
// Rules.Compat brings the defects back, for parity.
package data

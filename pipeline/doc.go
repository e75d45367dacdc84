// Package pipeline makes a run: C4 documents and a crawl become matched Parquet shards.
//
//	locate --> fetch --> inspect --> count --> embed --> match --> pack
//
// Build is the whole of `mmc4 build`. A stage is one or a few phases; a phase is tasks, and a task is a pure function of
// its input shards, the configuration and the models. Two primitives carry all of it: map (task.go) and shuffle
// (shuffle.go: records to P partitions by key, sorted on disk, merged by the next phase). Only the task that fetches asks
// the network, and what it heard is kept and replayed.
//
// A task's outputs count when its journal entry exists (journal.go). The entry is created exclusively and names the
// outputs with their sizes and hashes, so that a process may die at any instant, be started again, or run twice at once:
// the bytes at the end are the same. Everything goes through internal/storage, so a run is a folder or an S3 prefix.
//
// phases.go is the table of all phases; config.go what a user may choose; manifest.go what a run says of itself.
package pipeline

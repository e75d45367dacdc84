// Package pipeline makes a run: C4 documents and a crawl become matched Parquet shards.
//
//	locate --> fetch --> inspect --> count --> embed --> match --> pack
//
// Build is the whole of `mmc4 build`. A stage is one or a few phases; a phase is tasks, and a task is a pure function of
// its input shards, the configuration and the models. Two primitives carry all of it: map (task.go) and shuffle
// (sorter.go, merge.go: records to P partitions by key, sorted on disk, merged by the next phase). Only the task that fetches asks
// the network, and what it heard is kept and replayed.
//
// A task's outputs count when its journal entry exists (journal.go). The entry is created exclusively and names the
// outputs with their sizes and hashes, so that a process may die at any instant, be started again, or run twice at once:
// the bytes at the end are the same. Everything goes through internal/storage, so a run is a folder or an S3 prefix.
//
//	RUN/work/run.json                 what the run was begun with (plan.go)
//	RUN/work/journal/PHASE/NNNNNN.json  the tasks that are done
//	RUN/work/PHASE/NNNNNN/OUTPUT-XXXXXXXX  work shards (shard.go); X names the attempt
//	RUN/work/profile/                 what the numbers depend on, by stage (profile.go)
//	RUN/work/lock, lease-NNNNNN       who has the run (lock.go, lease.go)
//	RUN/work/claims/                  which slice is at what (run.go)
//	RUN/work/scratch/                 what is spilled
//
// route.go is the table of all phases; config.go what a user may choose; manifest.go what a run says of itself; reuse.go
// how a new run takes over the work of another.
package pipeline

// Package storage reads and writes named blobs in a folder, a bucket of S3 or below an HTTP(S) address, by one contract.
//
//	store, err := storage.Open(ctx, "s3://bucket/run", storage.Options{})
//	w, err := store.Create(ctx, "docs/part-00000.parquet", storage.CreateOptions{})
//	...                                   // io.Copy(w, ...); nothing is visible yet
//	err = w.Commit(ctx)                   // now it is, whole, and it survives a crash
//
// contract.go is the contract; internal/storage/storagetest holds the one suite that every store passes.
package storage

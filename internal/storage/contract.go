package storage

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"time"
)

// The errors that callers tell apart; every store wraps them.
var (
	ErrNotExist = fs.ErrNotExist // no such name
	ErrExist    = fs.ErrExist    // Exclusive, and the name is there
	ErrReadOnly = errors.New("this store cannot be written to")
	ErrNoList   = errors.New("this store cannot list names")
)

// Info describes a blob.
type Info struct {
	Name    string // relative to the store, parts joined by '/'
	Size    int64
	ModTime time.Time // zero where the store does not say
	ETag    string    // empty where the store has none
}

// Store is a flat set of named blobs. A name is a relative slash-separated path without empty, "." or ".." parts.
// All methods may be called at the same time from many goroutines. Every error names the store's location and the blob.
type Store interface {
	// Open opens a blob for reading. It fails with ErrNotExist if there is none. ctx bounds the whole life of the
	// object: reads fail after it is cancelled. The caller closes the object.
	Open(ctx context.Context, name string) (Object, error)

	// Create begins a blob. Nothing is visible, and an older blob of the name stays, before Commit. Exactly one of
	// Commit and Abort ends it; the caller may defer Abort, which does nothing after Commit.
	Create(ctx context.Context, name string, o CreateOptions) (Writer, error)

	// Stat describes a blob, or fails with ErrNotExist.
	Stat(ctx context.Context, name string) (Info, error)

	// List yields every blob whose name begins with prefix (a plain string, not a folder: "docs/" or "docs/part-"),
	// recursively, sorted by name (bytes). A missing folder is empty. After an error the sequence ends. Blobs that
	// are created or removed meanwhile may or may not appear; unfinished ones never do.
	List(ctx context.Context, prefix string) iter.Seq2[Info, error]

	// Remove removes a blob. Removing what is not there is no error.
	Remove(ctx context.Context, name string) error

	// Location is the full path or URL of a name, for people and manifests; Location("") is the store's own.
	Location(name string) string
}

// CreateOptions modifies Create.
type CreateOptions struct {
	// Exclusive makes Commit fail with ErrExist if the name exists by then. Of many exclusive writers of one name
	// exactly one commits.
	Exclusive bool
}

// Object is an open blob. ReadAt may be called at the same time from many goroutines and follows io.ReaderAt. A blob
// that is replaced while it is open is read as it was, or reads fail; never a mixture.
type Object interface {
	io.ReaderAt
	io.Closer
	Info() Info
}

// Writer is a blob in the making; it is used by one goroutine.
type Writer interface {
	io.Writer
	// Commit makes the blob visible, whole and durable, or fails and leaves nothing.
	Commit(ctx context.Context) error
	// Abort gives the blob up and removes what was written. After Commit or Abort it does nothing.
	Abort() error
}

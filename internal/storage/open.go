package storage

import (
	"context"
	"fmt"
	"io"
)

// Options says how remote stores are reached. The zero value is right for folders and for AWS with the SDK's own
// configuration (environment, profile, instance role).
type Options struct {
	Endpoint  string // S3: address of another server than AWS, as AWS_ENDPOINT_URL
	Region    string // S3: default from the SDK, else us-east-1
	PathStyle bool   // S3: bucket in the path; always on with an Endpoint
	Anonymous bool   // S3: unsigned requests, for public buckets

	UserAgent         string  // HTTP: the honest name of the caller
	RequestsPerSecond float64 // remote: 0 = no limit
	Concurrency       int     // remote: requests at a time; 0 = 16
	Attempts          int     // remote: tries of a request; 0 = 5
	CacheBytes        int64   // remote: block cache for reads; 0 = 64 MiB, negative = none
}

// Open opens the store at a location: a folder (made when something is created in it), s3://bucket/prefix, or
// http(s)://host/path (read-only).
func Open(ctx context.Context, location string, o Options) (Store, error) {
	return nil, fmt.Errorf("storage %s: not built yet", location)
}

// Ref is one blob that an input names.
type Ref struct {
	Store Store
	Name  string
	Size  int64
}

// Open opens the blob.
func (r Ref) Open(ctx context.Context) (Object, error) { return r.Store.Open(ctx, r.Name) }

// Location is the blob's full path or URL.
func (r Ref) Location() string { return r.Store.Location(r.Name) }

// Glob finds the blobs that a pattern names, sorted by location: a path, s3:// or http(s):// address with *, ?, [...]
// within one part and ** over any number of parts. A pattern without wildcards must exist. HTTP has no listing:
// exact names only. A pattern with wildcards that matches nothing gives an empty list.
func Glob(ctx context.Context, pattern string, o Options) ([]Ref, error) {
	return nil, fmt.Errorf("storage %s: not built yet", pattern)
}

// OpenFile opens the one blob at a location.
func OpenFile(ctx context.Context, location string, o Options) (Object, error) {
	return nil, fmt.Errorf("storage %s: not built yet", location)
}

// Reader reads an object from its start to its end, in large blocks ahead of the caller where that pays.
func Reader(ctx context.Context, o Object) io.Reader { return io.NewSectionReader(o, 0, o.Info().Size) }

// ReadFile gives the whole of a blob.
func ReadFile(ctx context.Context, s Store, name string) ([]byte, error) {
	return nil, fmt.Errorf("storage %s: not built yet", s.Location(name))
}

// WriteFile makes a blob of data, replacing an older one.
func WriteFile(ctx context.Context, s Store, name string, data []byte) error {
	return fmt.Errorf("storage %s: not built yet", s.Location(name))
}

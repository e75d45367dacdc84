package storage

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// Options says how remote stores are reached. The zero value is right for folders and for AWS with the SDK's own
// configuration (environment, profile, instance role).
type Options struct {
	Endpoint  string // S3: address of another server than AWS, as AWS_ENDPOINT_URL
	Region    string // S3: default from the SDK, else us-east-1
	PathStyle bool   // S3: bucket in the path; always on with another server than AWS
	Anonymous bool   // S3: unsigned requests, for public buckets

	UserAgent         string        // HTTP: the honest name of the caller
	RequestsPerSecond float64       // remote: 0 = no limit
	Concurrency       int           // remote: calls at a time; 0 = 16
	Attempts          int           // remote: tries of a call; 0 = 5
	FirstWait         time.Duration // remote: the longest wait before the second try, doubled for each further one; 0 = 0.2 s
	CacheBytes        int64         // remote: block cache for reads; 0 = 64 MiB, negative = none: every ReadAt is a request
}

// Open opens the store at a location: a folder (made when something is created in it), s3://bucket/prefix, or
// http(s)://host/path (read-only). Nothing is requested yet.
func Open(ctx context.Context, location string, o Options) (Store, error) {
	scheme, _, remote := strings.Cut(location, "://")
	switch {
	case !remote && location == "":
		return nil, fmt.Errorf("storage: an empty location: want a folder, s3://bucket/prefix or https://host/path")
	case !remote:
		return NewFolder(location), nil
	case scheme == "s3":
		s, err := newS3(ctx, location, o)
		if err != nil {
			return nil, err
		}
		return around(s, o), nil
	case scheme == "http" || scheme == "https":
		s, err := newHTTP(location, o)
		if err != nil {
			return nil, err
		}
		return around(s, o), nil
	}
	return nil, fmt.Errorf("storage %s: unknown scheme %q: want a folder, s3://bucket/prefix or https://host/path", location, scheme)
}

func (o Options) retry() RetryPolicy { return RetryPolicy{Attempts: o.Attempts, First: o.FirstWait} }

// around puts the wrappers around a remote store.
func around(s Store, o Options) Store {
	if o.RequestsPerSecond > 0 {
		s = RateLimit(s, o.RequestsPerSecond)
	}
	s = Retry(s, o.retry())
	if o.Concurrency == 0 {
		o.Concurrency = 16
	}
	s = LimitConcurrency(s, o.Concurrency)
	if o.CacheBytes == 0 {
		o.CacheBytes = 64 << 20
	}
	if o.CacheBytes > 0 {
		s = BlockCache(s, o.CacheBytes)
	}
	return s
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
	if isHTTP(pattern) {
		return exact(ctx, pattern, o)
	}
	if !strings.Contains(pattern, "://") {
		if pattern = filepath.ToSlash(pattern); pattern != "" && !strings.HasSuffix(pattern, "/") {
			pattern = path.Clean(pattern)
		}
	}
	folder, rest := splitPattern(pattern)
	if info, err := os.Stat(pattern); !hasWildcards(rest) || err == nil && info.Mode().IsRegular() { // a name with a [ in it
		return exact(ctx, pattern, o)
	}
	if _, err := match(rest, ""); err != nil {
		return nil, fmt.Errorf("storage: pattern %s: %w", pattern, err)
	}
	if folder == "" {
		folder = "."
	}
	store, err := Open(ctx, folder, o)
	if err != nil {
		return nil, err
	}
	var refs []Ref
	for info, err := range store.List(ctx, fixedPrefix(rest)) {
		if err != nil {
			return nil, err
		}
		if ok, _ := match(rest, info.Name); ok {
			refs = append(refs, Ref{store, info.Name, info.Size})
		}
	}
	return refs, nil
}

func isHTTP(location string) bool {
	return strings.HasPrefix(location, "http://") || strings.HasPrefix(location, "https://")
}

func exact(ctx context.Context, location string, o Options) ([]Ref, error) {
	ref, err := Locate(ctx, location, o)
	if err != nil {
		return nil, err
	}
	info, err := ref.Store.Stat(ctx, ref.Name)
	if err != nil {
		return nil, err
	}
	ref.Size = info.Size
	return []Ref{ref}, nil
}

// Locate splits the location of one blob into its store and its name. Size is not looked up: it is -1.
func Locate(ctx context.Context, location string, o Options) (Ref, error) {
	folder, name := "", ""
	if isHTTP(location) {
		var err error
		if folder, name, err = splitURL(location); err != nil {
			return Ref{}, err
		}
	} else if folder, name = path.Split(filepath.ToSlash(location)); folder == "" {
		folder = "."
	}
	if err := checkName(name); err != nil {
		return Ref{}, fmt.Errorf("storage %s: %w", location, err)
	}
	store, err := Open(ctx, folder, o)
	return Ref{store, name, -1}, err
}

// Root cuts a remote location behind its host or bucket, so that one store can serve all files there. ok is false for a path, and
// for a location with a query, which may be signed and then is for one file alone.
func Root(location string) (root, name string, ok bool) {
	scheme, rest, remote := strings.Cut(location, "://")
	host, name, _ := strings.Cut(rest, "/")
	if !remote || name == "" || strings.Contains(name, "?") {
		return "", "", false
	}
	if isHTTP(location) { // names are plain, addresses escaped
		if plain, err := url.PathUnescape(name); err == nil {
			name = plain
		}
	}
	return scheme + "://" + host, name, true
}

// OpenFile opens the one blob at a location.
func OpenFile(ctx context.Context, location string, o Options) (Object, error) {
	ref, err := Locate(ctx, location, o)
	if err != nil {
		return nil, err
	}
	return ref.Open(ctx)
}

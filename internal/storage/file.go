package storage

// A store in a folder of the local file system. Blobs come to be by a temporary file, fsync, rename (or link, for
// Exclusive) and fsync of the folder.

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

type fileStore struct {
	root  string
	clean sync.Once
}

// NewFolder is the store in a folder, which is made when a blob is created in it.
func NewFolder(root string) Store { return &fileStore{root: filepath.Clean(root)} }

func (s *fileStore) Location(name string) string {
	return filepath.Join(s.root, filepath.FromSlash(name))
}

func (s *fileStore) Open(ctx context.Context, name string) (Object, error) {
	if err := checkName(name); err != nil {
		return nil, failed(s, "open", name, err)
	}
	f, err := os.Open(s.Location(name))
	if err != nil {
		return nil, failed(s, "open", name, bare(err))
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = ErrNotExist
	}
	if err != nil {
		f.Close()
		return nil, failed(s, "open", name, bare(err))
	}
	return &fileObject{ctx: ctx, file: f, info: fileInfo(name, info)}, nil
}

func (s *fileStore) Stat(ctx context.Context, name string) (Info, error) {
	if err := cmp.Or(ctx.Err(), checkName(name)); err != nil {
		return Info{}, failed(s, "stat", name, err)
	}
	info, err := os.Stat(s.Location(name))
	if err == nil && info.IsDir() {
		err = ErrNotExist
	}
	if err != nil {
		return Info{}, failed(s, "stat", name, bare(err))
	}
	return fileInfo(name, info), nil
}

func (s *fileStore) Remove(ctx context.Context, name string) error {
	if err := cmp.Or(ctx.Err(), checkName(name)); err != nil {
		return failed(s, "remove", name, err)
	}
	file := s.Location(name)
	if info, err := os.Lstat(file); err == nil && info.IsDir() {
		return nil // a folder is no blob
	}
	if err := os.Remove(file); err != nil {
		if errors.Is(bare(err), ErrNotExist) {
			return nil
		}
		return failed(s, "remove", name, bare(err))
	}
	for dir := filepath.Dir(file); len(dir) > len(s.root); dir = filepath.Dir(dir) {
		if os.Remove(dir) != nil { // not empty: a folder is there as long as blobs are in it
			break
		}
	}
	return nil
}

func (s *fileStore) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		dir := "."
		if i := strings.LastIndexByte(prefix, '/'); i > 0 {
			dir = prefix[:i]
		}
		if !fs.ValidPath(dir) {
			return // no blob has such a name
		}
		s.list(ctx, dir, prefix, yield)
	}
}

// list yields what is below dir in the order of whole names; it returns false when that is enough.
func (s *fileStore) list(ctx context.Context, dir, prefix string, yield func(Info, error) bool) bool {
	entries, err := os.ReadDir(s.Location(dir))
	if err = bare(err); errors.Is(err, ErrNotExist) {
		return true
	} else if err = cmp.Or(err, ctx.Err()); err != nil {
		yield(Info{}, failed(s, "list", dir, err))
		return false
	}
	key := func(e os.DirEntry) string { // a folder sorts as what is in it does
		if e.IsDir() {
			return e.Name() + "/"
		}
		return e.Name()
	}
	slices.SortFunc(entries, func(a, b os.DirEntry) int { return strings.Compare(key(a), key(b)) })
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		switch {
		case e.Name() == temporary: // here, or in a store below this one
		case e.IsDir():
			if below := name + "/"; strings.HasPrefix(below, prefix) || strings.HasPrefix(prefix, below) {
				if !s.list(ctx, name, prefix, yield) {
					return false
				}
			}
		case strings.HasPrefix(name, prefix):
			info, err := os.Stat(s.Location(name))
			if err != nil || !info.Mode().IsRegular() {
				continue // removed meanwhile, or a link to nothing, or no file
			}
			if !yield(fileInfo(name, info), nil) {
				return false
			}
		}
	}
	return true
}

func fileInfo(name string, info fs.FileInfo) Info {
	return Info{Name: name, Size: info.Size(), ModTime: info.ModTime().Truncate(time.Microsecond)}
}

// bare takes the path out of an error, which failed says anyway, and makes ErrNotExist of its relatives.
func bare(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		err = at.Err
	}
	var link *os.LinkError
	if errors.As(err, &link) {
		err = link.Err
	}
	if errors.Is(err, syscall.ENOTDIR) {
		return ErrNotExist
	}
	return err
}

type fileObject struct {
	ctx  context.Context
	file *os.File
	info Info
}

func (o *fileObject) Info() Info   { return o.info }
func (o *fileObject) Close() error { return o.file.Close() }

func (o *fileObject) ReadAt(b []byte, off int64) (int, error) {
	if err := o.ctx.Err(); err != nil {
		return 0, err
	}
	return o.file.ReadAt(b, off)
}

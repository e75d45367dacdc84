// Package pictures reads the pictures of data sets from where they lie: a folder or bucket, tar files, or Parquet files. It
// gives bytes by name and lists names; it decodes nothing.
package pictures

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"

	"mmc4/internal/storage"
)

// Place is somewhere that pictures lie. It is safe for concurrent use.
type Place interface {
	// Read gives a picture; fs.ErrNotExist when there is none of the name.
	Read(ctx context.Context, name string) ([]byte, error)
	// Names lists, sorted, the names that begin with a folder's.
	Names(ctx context.Context, folder string) ([]string, error)
}

// Places are places by location, each opened once. The zero value is ready.
type Places struct {
	mu    sync.Mutex
	open  map[string]Place
	files files
}

// Close closes all files. The places must not be used any more.
func (p *Places) Close() error { return p.files.close() }

// files are those that places have opened.
type files struct {
	mu  sync.Mutex
	all []storage.Object
}

func (f *files) add(o storage.Object) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, o)
}

func (f *files) close() (err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, o := range f.all {
		err = errors.Join(err, o.Close())
	}
	f.all = nil
	return err
}

// Open opens a location:
//
//	DIR, s3://BUCKET/DIR, https://...   a picture is a file below it, or a member of a tar below it: "train/n01.tar/1.JPEG"
//	....tar                             a picture is a member; tars within the tar are read too. A pattern with * means many
//	....parquet                         a picture is a row, see parquet.go. A pattern with * means many
func (p *Places) Open(ctx context.Context, location string) (Place, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at, ok := p.open[location]; ok {
		return at, nil
	}
	at, err := open(ctx, location, &p.files)
	if err != nil {
		return nil, fmt.Errorf("pictures in %s: %w", location, err)
	}
	if p.open == nil {
		p.open = map[string]Place{}
	}
	p.open[location] = at
	return at, nil
}

func open(ctx context.Context, location string, opened *files) (Place, error) {
	var one func(ctx context.Context, o storage.Object) (Place, error)
	switch path.Ext(location) {
	case ".tar":
		one = func(_ context.Context, o storage.Object) (Place, error) { return indexTar(o, o.Info().Size) }
	case ".parquet":
		one = func(_ context.Context, o storage.Object) (Place, error) { return indexParquet(o, o.Info().Size) }
	default:
		s, err := storage.Open(ctx, location, storage.Options{})
		return &folder{store: s, opened: opened}, err
	}
	refs, err := storage.Glob(ctx, location, storage.Options{})
	if err != nil {
		return nil, err
	}
	if len(refs) == 0 {
		return nil, fs.ErrNotExist
	}
	var all several
	for _, ref := range refs {
		o, err := ref.Open(ctx)
		if err != nil {
			return nil, err
		}
		opened.add(o)
		at, err := one(ctx, o)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", ref.Location(), err)
		}
		all = append(all, at)
	}
	return all, nil
}

// several places are one.
type several []Place

func (s several) Read(ctx context.Context, name string) ([]byte, error) {
	for _, at := range s {
		if data, err := at.Read(ctx, name); err == nil || !isMissing(err) {
			return data, err
		}
	}
	return nil, fs.ErrNotExist
}

func (s several) Names(ctx context.Context, folder string) ([]string, error) {
	var all []string
	for _, at := range s {
		names, err := at.Names(ctx, folder)
		if err != nil {
			return nil, err
		}
		all = append(all, names...)
	}
	return sorted(all), nil
}

// folder is a folder or bucket, with the tars that were looked into.
type folder struct {
	store  storage.Store
	opened *files
	mu     sync.Mutex
	tars   map[string]*archive
}

// tarMark parts a tar's name from its member's.
const tarMark = ".tar/"

func (f *folder) Read(ctx context.Context, name string) ([]byte, error) {
	if before, member, ok := strings.Cut(name, tarMark); ok {
		a, err := f.tar(ctx, before+".tar")
		if err != nil {
			return nil, err
		}
		return a.Read(ctx, member)
	}
	return storage.ReadFile(ctx, f.store, name)
}

func (f *folder) tar(ctx context.Context, name string) (*archive, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if a := f.tars[name]; a != nil {
		return a, nil
	}
	o, err := f.store.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	f.opened.add(o)
	a, err := indexTar(o, o.Info().Size)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.store.Location(name), err)
	}
	if f.tars == nil {
		f.tars = map[string]*archive{}
	}
	f.tars[name] = a
	return a, nil
}

func (f *folder) Names(ctx context.Context, folder string) ([]string, error) {
	var all []string
	if before, inside, ok := strings.Cut(prefix(folder), tarMark); ok { // a tar, or a folder in it
		a, err := f.tar(ctx, before+".tar")
		if err != nil {
			return nil, err
		}
		names, err := a.Names(ctx, inside)
		for _, member := range names {
			all = append(all, before+tarMark+member)
		}
		return all, err
	}
	for info, err := range f.store.List(ctx, prefix(folder)) {
		if err != nil {
			return nil, err
		}
		if path.Ext(info.Name) != ".tar" {
			all = append(all, info.Name)
			continue
		}
		a, err := f.tar(ctx, info.Name)
		if err != nil {
			return nil, err
		}
		for member := range a.members {
			all = append(all, info.Name+"/"+member)
		}
	}
	return sorted(all), nil
}

// prefix is what the names in a folder begin with.
func prefix(folder string) string {
	if folder = strings.Trim(path.Clean(folder), "/"); folder == "." {
		return ""
	}
	return folder + "/"
}

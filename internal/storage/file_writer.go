package storage

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

type fileWriter struct {
	store *fileStore
	name  string
	o     CreateOptions
	file  *os.File // nil once committed or aborted
}

func (s *fileStore) Create(ctx context.Context, name string, o CreateOptions) (Writer, error) {
	if err := cmp.Or(ctx.Err(), checkName(name)); err != nil {
		return nil, failed(s, "create", name, err)
	}
	s.clean.Do(s.removeLeftovers)
	f, err := s.newTemporary()
	if err != nil {
		return nil, failed(s, "create", name, bare(err))
	}
	return &fileWriter{store: s, name: name, o: o, file: f}, nil
}

// newTemporary makes a locked file in the folder of unfinished blobs.
func (s *fileStore) newTemporary() (*os.File, error) {
	for {
		if err := os.MkdirAll(s.Location(temporary), 0o777); err != nil {
			info, gone := os.Lstat(s.Location(temporary))
			if errors.Is(err, fs.ErrExist) && (gone != nil || info.IsDir()) { // another writer removed it between MkdirAll's looks
				continue
			}
			return nil, err
		}
		f, err := os.OpenFile(filepath.Join(s.Location(temporary), randomName()), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o666)
		if errors.Is(err, fs.ErrNotExist) { // another writer removed the empty folder
			continue
		}
		if err != nil {
			return nil, err
		}
		if alive(f) {
			return f, nil
		}
		f.Close() // somebody took it for a leftover before it was locked
	}
}

// alive locks a temporary file for as long as it is open, and says whether it is still there.
func alive(f *os.File) bool {
	if held, _ := lockFile(f); !held {
		return false
	}
	_, err := os.Stat(f.Name())
	return err == nil
}

// removeLeftovers removes the temporary files of writers that died: those that nobody holds a lock on.
func (s *fileStore) removeLeftovers() {
	entries, err := os.ReadDir(s.Location(temporary))
	if err != nil {
		return
	}
	for _, e := range entries {
		name := filepath.Join(s.Location(temporary), e.Name())
		f, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			continue
		}
		if _, sure := lockFile(f); sure {
			os.Remove(name)
		}
		f.Close()
	}
	os.Remove(s.Location(temporary))
}

func (w *fileWriter) Write(b []byte) (int, error) {
	if w.file == nil {
		return 0, failed(w.store, "write", w.name, fs.ErrClosed)
	}
	n, err := w.file.Write(b)
	return n, failed(w.store, "write", w.name, bare(err))
}

func (w *fileWriter) Abort() error {
	if w.file == nil {
		return nil
	}
	f := w.file
	w.file = nil
	err := cmp.Or(os.Remove(f.Name()), f.Close())
	os.Remove(w.store.Location(temporary))
	return failed(w.store, "abort", w.name, bare(err))
}

func (w *fileWriter) Commit(ctx context.Context) error {
	if w.file == nil {
		return failed(w.store, "commit", w.name, fs.ErrClosed)
	}
	defer w.Abort()
	if err := cmp.Or(ctx.Err(), w.file.Sync()); err != nil {
		return failed(w.store, "commit", w.name, bare(err))
	}
	return failed(w.store, "commit", w.name, bare(w.publish(w.store.Location(w.name))))
}

// publish gives the temporary file its name.
func (w *fileWriter) publish(target string) error {
	for {
		if err := makeFolder(filepath.Dir(target)); err != nil {
			return err
		}
		var err error
		if w.o.Exclusive {
			err = os.Link(w.file.Name(), target)
		} else {
			err = os.Rename(w.file.Name(), target)
		}
		if errors.Is(err, fs.ErrNotExist) {
			if _, gone := os.Stat(w.file.Name()); gone == nil {
				continue // Remove took the folder, which was empty, between the two calls
			}
		}
		if err != nil {
			return err
		}
		if !w.o.Exclusive { // the file has no temporary name any more
			w.file.Close()
			w.file = nil
			os.Remove(w.store.Location(temporary))
		}
		return syncFolder(filepath.Dir(target))
	}
}

// makeFolder is os.MkdirAll, durable.
func makeFolder(dir string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := makeFolder(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(parent)
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !noFolderSync(err) {
		return err
	}
	return nil
}

package features

// What is to be embedded. Reads folders, lists and finished runs; yields items in a fixed order, their bytes not yet read.

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"iter"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"mmc4/internal/storage"
	"mmc4/pipeline"
	"mmc4/schemas"
)

// item is one picture or sentence.
type item struct {
	name  string  // of a picture: as it was listed; of a sentence: its line
	doc   *string // of a run: the document
	place *int32  // and the place in image_info or text_list
	text  *string
	load  func(ctx context.Context) ([]byte, error) // the picture's bytes
}

type items = iter.Seq2[item, error]

// ErrUsage is in the chain of errors about what was asked for.
var ErrUsage = errors.New("cannot be used")

// endings of files that a folder's pictures have.
var endings = []string{".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp"}

// maxLine is the longest line of a list, in bytes.
const maxLine = 16 << 20

// open looks at the input and gives its items, and what kind of input it is.
func open(ctx context.Context, c Config) (items, string, error) {
	if ref, err := storage.Locate(ctx, c.Input, c.Storage); err == nil {
		_, err := ref.Store.Stat(ctx, ref.Name)
		switch {
		case ctx.Err() != nil:
			return nil, "", ctx.Err()
		case err == nil && c.Text:
			return sentences(ctx, ref), "list", nil
		case err == nil:
			return list(ctx, ref, c.Storage), "list", nil
		}
	}
	store, err := storage.Open(ctx, c.Input, c.Storage)
	if err != nil {
		return nil, "", err
	}
	m, err := pipeline.ReadManifest(ctx, store)
	switch {
	case err == nil && c.Text:
		return runSentences(ctx, store, docs(m)), "run", nil
	case err == nil:
		return runPictures(ctx, store, docs(m)), "run", nil
	case !errors.Is(err, storage.ErrNotExist):
		return nil, "", err
	case c.Text:
		return nil, "", fmt.Errorf("%s %w: sentences come from a list, one a line, or from a finished run", c.Input, ErrUsage)
	case strings.HasPrefix(c.Input, "http://") || strings.HasPrefix(c.Input, "https://"):
		return nil, "", fmt.Errorf("%s %w: it is neither a list that can be read nor a run, and HTTP lists no folders", c.Input, ErrUsage)
	}
	return folder(ctx, store), "folder", nil
}

func docs(m *pipeline.Manifest) []string {
	var names []string
	for _, out := range m.Outputs {
		if strings.HasPrefix(out.Name, "docs/") {
			names = append(names, out.Name)
		}
	}
	slices.Sort(names)
	return names
}

// folder gives the pictures of a folder and those below it, sorted by name.
func folder(ctx context.Context, store storage.Store) items {
	return func(yield func(item, error) bool) {
		for info, err := range store.List(ctx, "") {
			if err != nil {
				yield(item{}, err)
				return
			}
			if !slices.Contains(endings, strings.ToLower(path.Ext(info.Name))) {
				continue
			}
			if !yield(item{name: info.Name, load: from(store, info.Name)}, nil) {
				return
			}
		}
	}
}

func from(store storage.Store, name string) func(ctx context.Context) ([]byte, error) {
	return func(ctx context.Context) ([]byte, error) { return storage.ReadFile(ctx, store, name) }
}

// lines gives the lines of a file with their numbers, from 1, without line ends.
func lines(ctx context.Context, ref storage.Ref) iter.Seq2[int, any] {
	return func(yield func(int, any) bool) {
		o, err := ref.Open(ctx)
		if err != nil {
			yield(0, err)
			return
		}
		defer o.Close()
		s := bufio.NewScanner(storage.Reader(ctx, o))
		s.Buffer(nil, maxLine)
		n := 0
		for s.Scan() {
			if n++; !yield(n, strings.TrimSuffix(s.Text(), "\r")) {
				return
			}
		}
		if err := s.Err(); err != nil {
			yield(n, fmt.Errorf("%s, line %d: %w", ref.Location(), n+1, err))
		}
	}
}

// list gives the pictures that a file names, one path or address a line. Paths are relative to the list.
func list(ctx context.Context, ref storage.Ref, o storage.Options) items {
	base := strings.TrimSuffix(ref.Store.Location(""), "/")
	hosts := &hosts{o: o, stores: map[string]storage.Store{}}
	return func(yield func(item, error) bool) {
		for _, line := range lines(ctx, ref) {
			text, ok := line.(string)
			if !ok {
				yield(item{}, line.(error))
				return
			}
			name := strings.TrimSpace(text)
			if name == "" {
				continue
			}
			location := name
			if !strings.Contains(name, "://") && !path.IsAbs(name) {
				location = base + "/" + name
			}
			if !yield(item{name: name, load: func(ctx context.Context) ([]byte, error) { return hosts.read(ctx, location) }}, nil) {
				return
			}
		}
	}
}

// hosts keeps a store for each host or bucket, whose connections then serve all its pictures.
type hosts struct {
	o      storage.Options
	mu     sync.Mutex
	stores map[string]storage.Store
}

func (h *hosts) read(ctx context.Context, location string) ([]byte, error) {
	root, name, ok := storage.Root(location)
	if !ok {
		at, err := storage.Locate(ctx, location, h.o)
		if err != nil {
			return nil, err
		}
		return storage.ReadFile(ctx, at.Store, at.Name)
	}
	h.mu.Lock()
	store := h.stores[root]
	var err error
	if store == nil {
		o := h.o
		o.CacheBytes = -1 // every picture is read once, whole
		if store, err = storage.Open(ctx, root, o); err == nil {
			h.stores[root] = store
		}
	}
	h.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return storage.ReadFile(ctx, store, name)
}

// sentences gives the lines of a file, empty ones too: a row a line.
func sentences(ctx context.Context, ref storage.Ref) items {
	return func(yield func(item, error) bool) {
		for n, line := range lines(ctx, ref) {
			text, ok := line.(string)
			if !ok {
				yield(item{}, line.(error))
				return
			}
			if !yield(item{name: strconv.Itoa(n), text: &text}, nil) {
				return
			}
		}
	}
}

// runDocs reads the documents of a run.
func runDocs(ctx context.Context, run storage.Store, names []string, columns schemas.Projection) iter.Seq2[*schemas.Document, error] {
	return func(yield func(*schemas.Document, error) bool) {
		for _, name := range names {
			more, err := oneDocs(ctx, run, name, columns, yield)
			if err != nil {
				yield(nil, fmt.Errorf("%s: %w", run.Location(name), err))
				return
			}
			if !more {
				return
			}
		}
	}
}

func oneDocs(ctx context.Context, run storage.Store, name string, columns schemas.Projection, yield func(*schemas.Document, error) bool) (more bool, err error) {
	o, err := run.Open(ctx, name)
	if err != nil {
		return false, err
	}
	defer o.Close()
	r, err := schemas.NewReader[schemas.Document](o, o.Info().Size, columns)
	if err != nil {
		return false, err
	}
	defer r.Close()
	for d, err := range r.All() {
		if err != nil {
			return false, err
		}
		if !yield(d, nil) {
			return false, nil
		}
	}
	return true, nil
}

// runPictures gives the stored pictures of a run's documents, from the tables or from RUN/files.
func runPictures(ctx context.Context, run storage.Store, names []string) items {
	return func(yield func(item, error) bool) {
		for d, err := range runDocs(ctx, run, names, schemas.Columns("doc_id", "image_info")) {
			if err != nil {
				yield(item{}, err)
				return
			}
			doc := d.DocID
			for i := range d.ImageInfo {
				info := &d.ImageInfo[i]
				place, data := int32(i), slices.Clone(info.Bytes)
				load := func(context.Context) ([]byte, error) { return data, nil }
				if info.Bytes == nil {
					load = from(run, "files/"+info.ImageName)
				}
				if !yield(item{name: info.ImageName, doc: &doc, place: &place, load: load}, nil) {
					return
				}
			}
		}
	}
}

// runSentences gives the sentences of a run's documents.
func runSentences(ctx context.Context, run storage.Store, names []string) items {
	return func(yield func(item, error) bool) {
		for d, err := range runDocs(ctx, run, names, schemas.Columns("doc_id", "text_list")) {
			if err != nil {
				yield(item{}, err)
				return
			}
			doc := d.DocID
			for i, text := range d.TextList {
				place := int32(i)
				if !yield(item{name: doc + "/" + strconv.Itoa(i), doc: &doc, place: &place, text: &text}, nil) {
					return
				}
			}
		}
	}
}

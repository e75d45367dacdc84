package data

// Where documents come from: records in blocks that can be read in any order.

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"mmc4/internal/storage"
)

// Source is a set of records in blocks. Its methods are safe for concurrent use.
type Source interface {
	// Blocks gives the number of records of each block, or Uncounted where only reading it tells.
	Blocks() []int
	// Read reads one block: as many documents as Blocks says, and always as many. A record that cannot be used is a document with Bad set;
	// an error means that the block could not be read.
	Read(ctx context.Context, block int) ([]*Document, error)
	// Name says where a block lies, for people.
	Name(block int) string
}

// Uncounted is the size of a block that was not read yet: counting would take as long as reading.
const Uncounted = -1

// Records is the number of records of a source, or Uncounted.
func Records(s Source) int64 {
	var n int64
	for _, k := range s.Blocks() {
		if k == Uncounted {
			return Uncounted
		}
		n += int64(k)
	}
	return n
}

// blocksOf are a source's sizes, kept once.
type blocksOf struct {
	counts []int
	names  []string
}

func (b *blocksOf) Blocks() []int         { return b.counts }
func (b *blocksOf) Name(block int) string { return b.names[block] }

// glob finds the files of patterns; none at all is an error.
func glob(ctx context.Context, patterns []string, o storage.Options) ([]storage.Ref, error) {
	found, err := each(patterns, func(p string) ([]storage.Ref, error) { return storage.Glob(ctx, p, o) })
	if err != nil {
		return nil, err
	}
	refs := slices.Concat(found...)
	if len(refs) == 0 {
		return nil, fmt.Errorf("no file matches %s", strings.Join(patterns, ", "))
	}
	return refs, nil
}

// filesAtOnce is how many files are looked into at the same time when a source is opened: far stores answer late.
const filesAtOnce = 32

// each asks something about every item and gives the answers in their order. The error is that of the first item that has one.
func each[I, T any](items []I, ask func(I) (T, error)) ([]T, error) {
	answers, errs := make([]T, len(items)), make([]error, len(items))
	var wait sync.WaitGroup
	slots := make(chan struct{}, filesAtOnce)
	for i, item := range items {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			answers[i], errs[i] = ask(item)
		})
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return answers, nil
}

// eachFile is each of files; an error names the file.
func eachFile[T any](refs []storage.Ref, ask func(storage.Ref) (T, error)) ([]T, error) {
	return each(refs, func(ref storage.Ref) (T, error) {
		answer, err := ask(ref)
		if err != nil {
			err = fmt.Errorf("%s: %w", ref.Location(), err)
		}
		return answer, err
	})
}

// fileOf is a picture that lies in a folder of its own.
func fileOf(folder, name string, o storage.Options) func(context.Context) ([]byte, error) {
	return func(ctx context.Context) ([]byte, error) {
		ref, err := storage.Locate(ctx, strings.TrimSuffix(folder, "/")+"/"+name, o)
		if err != nil {
			return nil, err
		}
		return storage.ReadFile(ctx, ref.Store, ref.Name)
	}
}

// parent is the folder of a location.
func parent(location string) string {
	scheme, rest, ok := strings.Cut(location, "://")
	if !ok {
		return path.Dir(location)
	}
	return scheme + "://" + path.Dir(rest)
}

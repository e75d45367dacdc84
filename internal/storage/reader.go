package storage

import (
	"context"
	"errors"
	"io"
)

// Reader reads an object from its start to its end. From remote stores it reads in blocks that grow from 1 to 8 MiB, one
// block ahead of the caller; it holds two blocks at most. A read after an error gives the same error.
func Reader(ctx context.Context, o Object) io.Reader {
	if f, local := o.(*fileObject); local {
		return &plainReader{ctx, io.NewSectionReader(f, 0, f.info.Size)}
	}
	return &aheadReader{ctx: ctx, object: o, size: o.Info().Size, length: firstBlock}
}

type plainReader struct {
	ctx context.Context
	*io.SectionReader
}

func (r *plainReader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.SectionReader.Read(b)
}

const (
	firstBlock   = 1 << 20
	longestBlock = 8 << 20
)

type aheadReader struct {
	ctx    context.Context
	object Object
	size   int64
	next   int64 // where the block after the one on its way begins
	length int64 // and how long it is
	coming chan fetched
	rest   []byte // what the caller has not taken of the present block
	spare  []byte // the memory of the present block
	err    error
}

type fetched struct {
	data []byte
	err  error
}

// fetch asks for the next block, if there is one.
func (r *aheadReader) fetch(memory []byte) {
	r.coming = nil
	off, n := r.next, min(r.length, r.size-r.next)
	if n <= 0 {
		return
	}
	r.next, r.length = off+n, min(2*r.length, longestBlock)
	if int64(cap(memory)) < n {
		memory = make([]byte, n)
	}
	coming := make(chan fetched, 1)
	r.coming = coming
	go func() {
		_, err := readAt(r.object, memory[:n], off)
		coming <- fetched{memory[:n], err}
	}()
}

func (r *aheadReader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	if len(b) == 0 {
		return 0, nil
	}
	for len(r.rest) == 0 && r.err == nil {
		if r.coming == nil {
			r.fetch(nil) // the first block, or none where the object is empty or over
		}
		if r.coming == nil {
			r.err = io.EOF
			break
		}
		select {
		case block := <-r.coming:
			if r.err = block.err; r.err == nil {
				used := r.spare
				r.rest, r.spare = block.data, block.data
				r.fetch(used)
			}
		case <-r.ctx.Done():
			return 0, r.ctx.Err()
		}
	}
	if len(r.rest) == 0 {
		return 0, r.err
	}
	n := copy(b, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// readAt fills b or fails; a blob that has become shorter gives io.ErrUnexpectedEOF.
func readAt(o io.ReaderAt, b []byte, off int64) (int, error) {
	n, err := o.ReadAt(b, off)
	if n == len(b) {
		return n, nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// ReadFile gives the whole of a blob.
func ReadFile(ctx context.Context, s Store, name string) ([]byte, error) {
	o, err := s.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	b := make([]byte, o.Info().Size)
	if _, err := readAt(o, b, 0); err != nil {
		return nil, failed(s, "read", name, err)
	}
	return b, nil
}

// WriteFile makes a blob of data, replacing an older one.
func WriteFile(ctx context.Context, s Store, name string, data []byte) error {
	w, err := s.Create(ctx, name, CreateOptions{})
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := w.Write(data); err != nil {
		return err
	}
	return w.Commit(ctx)
}

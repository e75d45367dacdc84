package storage

import (
	"context"
	"errors"
	"io"
)

// sequentialBlock is how much Reader asks for at a time from stores where every call is a request.
const sequentialBlock = 8 << 20

// Reader reads an object from its start to its end; from remote stores in large blocks.
func Reader(ctx context.Context, o Object) io.Reader {
	r := &sequential{ctx: ctx, object: o, size: o.Info().Size}
	if _, local := o.(*fileObject); !local {
		r.block = sequentialBlock
	}
	return r
}

type sequential struct {
	ctx    context.Context
	object Object
	size   int64
	pos    int64
	block  int // 0: straight into the caller's buffer
	buffer []byte
	rest   []byte
}

func (r *sequential) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	if len(r.rest) == 0 && r.block > 0 && r.pos < r.size {
		if r.buffer == nil {
			r.buffer = make([]byte, min(int64(r.block), r.size))
		}
		n, err := readAt(r.object, r.buffer[:min(int64(len(r.buffer)), r.size-r.pos)], r.pos)
		if err != nil {
			return 0, err
		}
		r.rest = r.buffer[:n]
		r.pos += int64(n)
	}
	if r.block > 0 {
		if len(r.rest) == 0 {
			return 0, io.EOF
		}
		n := copy(b, r.rest)
		r.rest = r.rest[n:]
		return n, nil
	}
	if r.pos >= r.size {
		return 0, io.EOF
	}
	n, err := readAt(r.object, b[:min(int64(len(b)), r.size-r.pos)], r.pos)
	r.pos += int64(n)
	return n, err
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

package storage

// Writing to S3: one PUT for small blobs, a multipart upload with checksums for large ones, by the SDK's transfer
// manager. Nothing is visible before the last request, and Exclusive is that request's If-None-Match.

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const (
	partBytes   = 8 << 20 // memory of a writer: parts in flight times this
	partsFlight = 3

	// writerMark is the metadata by which a writer knows its own blob again when an answer was lost.
	writerMark = "mmc4-writer"
)

// errAborted ends an upload that is given up.
var errAborted = errors.New("the write was aborted")

type s3Writer struct {
	store *s3Store
	name  string
	o     CreateOptions
	mark  string
	pipe  *io.PipeWriter
	done  chan struct{} // closed when the upload is over
	err   error         // of the upload, after done
	stop  context.CancelFunc
	ended bool
}

func (s *s3Store) Create(ctx context.Context, name string, o CreateOptions) (Writer, error) {
	if err := cmp.Or(ctx.Err(), checkName(name)); err != nil {
		return nil, failed(s, "create", name, err)
	}
	ctx, stop := context.WithCancel(ctx)
	body, pipe := io.Pipe()
	w := &s3Writer{store: s, name: name, o: o, mark: randomName(), pipe: pipe, done: make(chan struct{}), stop: stop}
	in := &transfermanager.UploadObjectInput{
		Bucket: &s.bucket, Key: s.key(name), Body: body,
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
		Metadata:          map[string]string{writerMark: w.mark},
	}
	if o.Exclusive {
		in.IfNoneMatch = aws.String("*")
	}
	manager := transfermanager.New(s.patient, func(o *transfermanager.Options) {
		o.PartSizeBytes, o.MultipartUploadThreshold, o.Concurrency = partBytes, partBytes, partsFlight
	})
	go func() {
		defer close(w.done)
		_, w.err = manager.UploadObject(ctx, in)
		body.CloseWithError(cmp.Or(w.err, error(fs.ErrClosed)))
	}()
	return w, nil
}

func (w *s3Writer) Write(b []byte) (int, error) {
	if w.ended {
		return 0, failed(w.store, "write", w.name, fs.ErrClosed)
	}
	n, err := w.pipe.Write(b)
	return n, failed(w.store, "write", w.name, plain(err))
}

func (w *s3Writer) Abort() error {
	if w.ended {
		return nil
	}
	w.ended = true
	w.pipe.CloseWithError(errAborted) // the transfer manager then removes the parts
	<-w.done
	w.stop()
	return nil
}

func (w *s3Writer) Commit(ctx context.Context) error {
	if w.ended {
		return failed(w.store, "commit", w.name, fs.ErrClosed)
	}
	if err := ctx.Err(); err != nil {
		w.Abort()
		return failed(w.store, "commit", w.name, err)
	}
	w.ended = true
	defer w.stop()
	w.pipe.Close()
	select {
	case <-w.done:
	case <-ctx.Done():
		w.stop()
		<-w.done
	}
	return failed(w.store, "commit", w.name, w.outcome(ctx))
}

// outcome explains how the upload ended.
func (w *s3Writer) outcome(ctx context.Context) error {
	if w.err == nil {
		return nil
	}
	err := plain(w.err)
	if code := statusOf(err); !w.o.Exclusive || code != 412 && code != 409 {
		return err
	}
	// The name exists. It may be ours: the answer to an earlier try of the last request may have been lost.
	head, headErr := w.store.patient.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &w.store.bucket, Key: w.store.key(w.name)})
	if headErr != nil {
		return fmt.Errorf("%w; and whose blob it is could not be found out: %w", err, plain(headErr))
	}
	if head.Metadata[writerMark] == w.mark {
		return nil
	}
	return ErrExist
}

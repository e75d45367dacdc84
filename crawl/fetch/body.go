package fetch

// Reading a body: in time, within the size, within memory, unpacked.

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/andybalholm/brotli"
)

// The ends of time.
var (
	errFirstByte = errors.New("no whole header in time")
	errStall     = errors.New("the body stopped coming")
	errTotal     = errors.New("not done in time")
)

// deadlines ends an exchange when a phase or the whole takes too long; it does so by cancelling the exchange's context,
// which nothing in it can outlive.
type deadlines struct {
	cancel  context.CancelCauseFunc
	mu      sync.Mutex
	total   *time.Timer
	phase   *time.Timer
	left    time.Duration // of total
	since   time.Time     // when total last started
	waiting bool
}

func newDeadlines(cancel context.CancelCauseFunc, total time.Duration) *deadlines {
	return &deadlines{cancel: cancel, left: total, since: time.Now(), total: time.AfterFunc(total, func() { cancel(errTotal) })}
}

// begin starts a phase, ending the one before.
func (d *deadlines) begin(limit time.Duration, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.phase != nil {
		d.phase.Stop()
	}
	d.phase = time.AfterFunc(limit, func() { d.cancel(err) })
}

// again gives the phase its whole time once more.
func (d *deadlines) again(limit time.Duration) { d.phase.Reset(limit) }

// wait stops the clocks while the exchange waits for our own memory.
func (d *deadlines) wait(on bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if on {
		d.phase.Stop()
		d.total.Stop()
		d.left -= time.Since(d.since)
		d.waiting = true
		return
	}
	d.since, d.waiting = time.Now(), false
	d.total.Reset(max(d.left, time.Millisecond))
}

// stop ends the timing and says how much of the total is left.
func (d *deadlines) stop() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.total.Stop()
	if d.phase != nil {
		d.phase.Stop()
	}
	if d.waiting {
		return d.left
	}
	return d.left - time.Since(d.since)
}

// wire reads what comes over the connection: it keeps the stall deadline and counts. After limit bytes it fails.
type wire struct {
	body  io.Reader
	d     *deadlines
	stall time.Duration
	n     int64
	limit int64
	err   error // how the connection ended, io.EOF for well
}

var errTooLarge = errors.New("larger than the limit")

func (w *wire) Read(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	if int64(len(p)) > w.limit-w.n+1 {
		p = p[:w.limit-w.n+1]
	}
	w.d.again(w.stall)
	n, err := w.body.Read(p)
	w.n += int64(n)
	if w.n > w.limit {
		err = errTooLarge
	}
	w.err = err
	return n, err
}

// maxCodings are as many as curl undoes, and more than anyone needs.
const maxCodings = 5

// brotliWindow is what a decoder of brotli may keep of its output; those of gzip and deflate keep 32 KiB.
const brotliWindow = 16 << 20

// unpacked undoes the Content-Encoding, which we do not ask for. Servers that say gzip and send plain bytes are many:
// the bytes decide. held is what the decoders may take of memory.
func unpacked(h http.Header, w *wire) (r io.Reader, held int64, err error) {
	var codings []string
	for coding := range strings.SplitSeq(strings.ToLower(strings.Join(h.Values("Content-Encoding"), ",")), ",") {
		if coding = strings.TrimSpace(coding); coding != "" && coding != "identity" {
			codings = append(codings, coding)
		}
	}
	if len(codings) > maxCodings {
		return nil, 0, fmt.Errorf("%d content encodings, one in another", len(codings))
	}
	r = w
	for _, coding := range slices.Backward(codings) {
		br := bufio.NewReader(r)
		switch coding {
		case "gzip", "x-gzip":
			if head, _ := br.Peek(2); len(head) < 2 || head[0] != 0x1f || head[1] != 0x8b {
				r = br
				continue
			}
			z, err := gzip.NewReader(br)
			if err != nil {
				return nil, 0, err
			}
			r = z
		case "deflate":
			if head, _ := br.Peek(2); len(head) == 2 && head[0]&15 == 8 && (int(head[0])<<8|int(head[1]))%31 == 0 {
				z, err := zlib.NewReader(br)
				if err != nil {
					return nil, 0, err
				}
				r = z
			} else {
				r = flate.NewReader(br)
			}
		case "br":
			r, held = brotli.NewReader(br), held+brotliWindow
		default:
			return nil, 0, fmt.Errorf("content encoding %q is not known", short(coding, 40))
		}
	}
	return r, held, nil
}

// body is what was read.
type body struct {
	data      []byte
	mediaType string // by the bytes; "" when they are no picture's, and then data is only their beginning
	err       error  // why reading ended early
	whole     bool   // the connection gave all it had, and can be used again
}

// drainLimit is how much is read only to be able to use a connection again.
const drainLimit = 64 << 10

// readBody reads up to limit bytes. A body that does not begin like a picture is not read on, unless anything goes.
func readBody(ctx context.Context, resp *http.Response, d *deadlines, stall time.Duration, limit int64, anything bool, mem *share) body {
	w := &wire{body: resp.Body, d: d, stall: stall, limit: limit}
	d.begin(stall, errStall)
	r, held, err := unpacked(resp.Header, w)
	if err != nil {
		return body{err: err}
	}
	size := int64(4 << 10)
	if n := resp.ContentLength; n > 0 {
		size = min(n+1, 1<<20) // one more, so that the end is seen without growing
	}
	if err := mem.grow(ctx, size+held, d.wait); err != nil {
		return body{err: err}
	}
	b := body{data: make([]byte, 0, size)}
	sniffed := anything
	for {
		if len(b.data) == cap(b.data) {
			bigger := min(2*int64(cap(b.data)), limit+1)
			if err := mem.grow(ctx, bigger, d.wait); err != nil {
				b.err = err
				return b
			}
			grown := make([]byte, len(b.data), bigger)
			copy(grown, b.data)
			mem.shrink(int64(cap(b.data)))
			b.data = grown
		}
		n, err := r.Read(b.data[len(b.data):cap(b.data)])
		b.data = b.data[:len(b.data)+n]
		if int64(len(b.data)) > limit {
			err = errTooLarge
		}
		if !sniffed && (len(b.data) >= sniffLen || err != nil) {
			sniffed = true
			b.mediaType = sniff(b.data)
			if b.mediaType == "" && len(b.data) > 0 && (len(b.data) >= sniffLen || err == io.EOF) {
				b.whole = drained(w)
				return b
			}
		}
		if err != nil {
			if err != io.EOF {
				b.err = err
			}
			b.whole = err == io.EOF && drained(w)
			return b
		}
	}
}

// drained reads the little that may be left.
func drained(w *wire) bool {
	w.limit = min(w.limit, w.n+drainLimit)
	_, err := io.Copy(io.Discard, w)
	return err == nil
}

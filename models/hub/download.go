package hub

// One file: fetched into NAME.HASH.partial, checked, then given its name. A part that is there is continued.

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

var errStall = errors.New("the server stopped sending")

// enough progress makes a further failure count as the first.
const enough = 1 << 20

// sums are what a file's bytes are known by.
type sums struct {
	size        int64
	sha256, git string
}

// sumFile reads a file and computes its SHA-256 and its git blob id (SHA-1 over "blob SIZE\0" and the bytes).
func sumFile(path string) (sums, error) {
	f, err := os.Open(path)
	if err != nil {
		return sums{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return sums{}, err
	}
	if !info.Mode().IsRegular() {
		return sums{}, fmt.Errorf("%s is no file", path)
	}
	whole, blob := sha256.New(), sha1.New()
	fmt.Fprintf(blob, "blob %d\x00", info.Size())
	n, err := io.Copy(io.MultiWriter(whole, blob), f)
	return sums{n, fmt.Sprintf("%x", whole.Sum(nil)), fmt.Sprintf("%x", blob.Sum(nil))}, err
}

// check compares a file's bytes with what the hub promises, and says by what.
func (e entry) check(s sums) (by string, err error) {
	differs := func(what string, want, got any) error {
		return fmt.Errorf("%s: %w: %s %v, not %v", e.name, ErrHash, what, got, want)
	}
	switch {
	case e.size >= 0 && e.size != s.size:
		return "", differs("size", e.size, s.size)
	case e.sha256 != "" && e.sha256 != s.sha256:
		return "", differs("SHA-256", e.sha256, s.sha256)
	case e.git != "" && e.git != s.git:
		return "", differs("git SHA-1", e.git, s.git)
	case e.sha256 != "":
		return "sha256", nil
	case e.git != "":
		return "git-sha1", nil
	case e.size >= 0:
		return "size", nil
	}
	return "nothing", nil
}

// download fetches a file to its place in dir. A server may fail so many times in a row, and send wrong bytes twice.
func (c *client) download(ctx context.Context, dir, commit string, e entry) (File, error) {
	final := filepath.Join(dir, filepath.FromSlash(e.name))
	if err := os.MkdirAll(filepath.Dir(final), 0o755); err != nil {
		return File{}, err
	}
	part := final + ".partial"
	if hash := e.hash(); hash != "" {
		part = final + "." + hash[:16] + ".partial" // of another revision: another part
	}
	for failures, wrong := 0, 0; ; {
		had := sizeOf(part)
		err := c.pull(ctx, part, commit, e)
		if err == nil {
			s, sumErr := sumFile(part)
			if sumErr != nil {
				return File{}, sumErr
			}
			by, hashErr := e.check(s)
			if hashErr == nil {
				return File{Name: e.name, Size: s.size, SHA256: s.sha256, Checked: by}, errors.Join(place(part, final), forget(final))
			}
			if err := os.Remove(part); err != nil {
				return File{}, err
			}
			if wrong++; wrong == 2 {
				return File{}, fmt.Errorf("%w; fetched twice. A proxy or mirror between here and the hub changes files: try another --endpoint or --proxy", hashErr)
			}
			continue
		}
		if errors.Is(err, syscall.ENOSPC) {
			return File{}, fmt.Errorf("%s: the disk of %s is full, %s lacks %d bytes; free some and start the same command: it goes on from here", c.ref.ID, dir, e.name, max(0, e.size-sizeOf(part)))
		}
		if !transient(err) || ctx.Err() != nil {
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			return File{}, err
		}
		if sizeOf(part)-had >= enough {
			failures = 0
		}
		if failures++; failures >= c.o.Attempts {
			return File{}, fmt.Errorf("%s: %w; %d attempts brought nothing new. The part is kept: the same command goes on from it", e.name, err, failures)
		}
		if err := c.pause(ctx, failures, err); err != nil {
			return File{}, err
		}
	}
}

// forget removes parts of other revisions of a file.
func forget(final string) error {
	old, err := filepath.Glob(strings.NewReplacer("*", `\*`, "?", `\?`, "[", `\[`).Replace(final) + ".*.partial")
	for _, path := range old {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// pull brings a part to its full length by one request.
func (c *client) pull(ctx context.Context, part, commit string, e entry) (err error) {
	f, err := os.OpenFile(part, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	length, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	from := length
	if e.hash() == "" || e.size < 0 || from > e.size { // nothing tells that the part belongs to this file
		from = 0
	}
	if from == e.size && from > 0 {
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	answer, err := c.send(ctx, http.MethodGet, c.resolve(commit, e.name), from)
	if err != nil {
		return err
	}
	switch answer.StatusCode {
	case http.StatusOK: // from the beginning, asked or not
		from = 0
	case http.StatusPartialContent:
		if !strings.HasPrefix(answer.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", from)) {
			answer.Body.Close()
			return errors.Join(fmt.Errorf("asked for the bytes from %d, the server sends %q: %w", from, answer.Header.Get("Content-Range"), io.ErrUnexpectedEOF), f.Truncate(0))
		}
	case http.StatusRequestedRangeNotSatisfiable: // the part is longer than the file is there
		answer.Body.Close()
		return errors.Join(fmt.Errorf("the server has no bytes from %d on: %w", from, io.ErrUnexpectedEOF), f.Truncate(0))
	default:
		return c.failure(answer, e.name)
	}
	defer answer.Body.Close()
	if from < length {
		if err := f.Truncate(from); err != nil {
			return err
		}
	}
	if _, err := f.Seek(from, io.SeekStart); err != nil {
		return err
	}
	body := io.Reader(&watched{r: answer.Body, timer: time.AfterFunc(c.o.Stall, func() { cancel(errStall) }), limit: c.o.Stall})
	if e.size >= 0 {
		body = io.LimitReader(body, e.size-from+1)
	}
	have, err := io.Copy(&counted{f, from, func(n int64) { c.o.Report(Event{Name: e.name, Have: n, Size: e.size, State: Loading}) }}, body)
	if errors.Is(context.Cause(ctx), errStall) {
		return errStall
	}
	if err != nil {
		return err
	}
	if e.size >= 0 && from+have < e.size {
		return fmt.Errorf("%d of %d bytes came: %w", from+have, e.size, io.ErrUnexpectedEOF)
	}
	return nil
}

// watched is a body whose timer runs out when nothing comes.
type watched struct {
	r     io.Reader
	timer *time.Timer
	limit time.Duration
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.r.Read(b)
	if err == nil {
		w.timer.Reset(w.limit)
		return n, nil
	}
	w.timer.Stop()
	if err != io.EOF {
		err = fmt.Errorf("%w: %w", errCut, err)
	}
	return n, err
}

// counted tells how far a file is.
type counted struct {
	w    io.Writer
	have int64
	tell func(int64)
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.have += int64(n)
	c.tell(c.have)
	return n, err
}

// place gives a part its name, durably.
func place(part, final string) error {
	f, err := os.OpenFile(part, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(part, final); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(final))
	if err != nil {
		return err
	}
	_ = folder.Sync() // not every file system can; the rename is done
	return folder.Close()
}

// Package storagetest is the conformance suite of storage.Store: what contract.go says, as tests. Every store and every
// wrapper runs it.
package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"mmc4/internal/storage"
)

// Run checks a store that can be written to. fresh gives an empty one at each call.
func Run(t *testing.T, fresh func(t *testing.T) storage.Store) {
	for _, c := range []struct {
		name string
		test func(*testing.T, storage.Store)
	}{
		{"round trip", roundTrip},
		{"nothing before commit", nothingBeforeCommit},
		{"abort", abort},
		{"commit ends the writer", commitEnds},
		{"replace", replace},
		{"exclusive", exclusive},
		{"exclusive race", exclusiveRace},
		{"missing", missing},
		{"remove", remove},
		{"list", listing},
		{"names", names},
		{"read at", readAt},
		{"concurrent reads", concurrentReads},
		{"open across replace", openAcrossReplace},
		{"cancelled", cancelled},
		{"large", large},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, fresh(t)) })
	}
}

var ctx = context.Background()

func write(t *testing.T, s storage.Store, name string, data []byte) {
	t.Helper()
	if err := storage.WriteFile(ctx, s, name, data); err != nil {
		t.Fatal(err)
	}
}

func wantData(t *testing.T, s storage.Store, name string, want []byte) {
	t.Helper()
	got, err := storage.ReadFile(ctx, s, name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("%s holds %d bytes that are not the %d written", name, len(got), len(want))
	}
}

func wantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
}

func list(t *testing.T, s storage.Store, prefix string) []string {
	t.Helper()
	found := []string{}
	for info, err := range s.List(ctx, prefix) {
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, info.Name)
	}
	return found
}

func create(t *testing.T, s storage.Store, name string, o storage.CreateOptions, data string) storage.Writer {
	t.Helper()
	w, err := s.Create(ctx, name, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, data); err != nil {
		t.Fatal(err)
	}
	return w
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.New(rand.NewSource(int64(n))).Read(b)
	return b
}

func roundTrip(t *testing.T, s storage.Store) {
	for _, n := range []int{0, 1, 1000, 1<<20 + 1} {
		name := fmt.Sprintf("a/b/blob-%d", n)
		write(t, s, name, random(n))
		wantData(t, s, name, random(n))
		info, err := s.Stat(ctx, name)
		if err != nil || info.Size != int64(n) || info.Name != name {
			t.Fatalf("Stat gives %+v, %v", info, err)
		}
		o, err := s.Open(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		if o.Info().Size != int64(n) || o.Info().Name != name {
			t.Fatalf("Open gives %+v", o.Info())
		}
		got, err := io.ReadAll(storage.Reader(ctx, o))
		if err != nil || !bytes.Equal(got, random(n)) {
			t.Fatalf("Reader gives %d bytes, %v", len(got), err)
		}
		if err := o.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func nothingBeforeCommit(t *testing.T, s storage.Store) {
	w := create(t, s, "x/new", storage.CreateOptions{}, "unfinished")
	_, err := s.Stat(ctx, "x/new")
	wantError(t, err, storage.ErrNotExist)
	if found := list(t, s, ""); len(found) != 0 {
		t.Fatalf("an unfinished blob is listed: %v", found)
	}
	if err := w.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	wantData(t, s, "x/new", []byte("unfinished"))
}

func abort(t *testing.T, s storage.Store) {
	write(t, s, "kept", []byte("old"))
	w := create(t, s, "kept", storage.CreateOptions{}, "new")
	for range 2 {
		if err := w.Abort(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := io.WriteString(w, "more"); err == nil {
		t.Error("a write after Abort succeeds")
	}
	if err := w.Commit(ctx); err == nil {
		t.Error("Commit after Abort succeeds")
	}
	wantData(t, s, "kept", []byte("old"))
	if found := list(t, s, ""); !slices.Equal(found, []string{"kept"}) {
		t.Errorf("left behind: %v", found)
	}
}

func commitEnds(t *testing.T, s storage.Store) {
	w := create(t, s, "once", storage.CreateOptions{}, "data")
	if err := w.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	if err := w.Abort(); err != nil {
		t.Error(err)
	}
	if err := w.Commit(ctx); err == nil {
		t.Error("a second Commit succeeds")
	}
	if _, err := io.WriteString(w, "more"); err == nil {
		t.Error("a write after Commit succeeds")
	}
	wantData(t, s, "once", []byte("data"))
}

func replace(t *testing.T, s storage.Store) {
	write(t, s, "twice", []byte("a first and longer value"))
	write(t, s, "twice", []byte("second"))
	wantData(t, s, "twice", []byte("second"))
}

func exclusive(t *testing.T, s storage.Store) {
	w := create(t, s, "mine", storage.CreateOptions{Exclusive: true}, "first")
	if err := w.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	w = create(t, s, "mine", storage.CreateOptions{Exclusive: true}, "second")
	wantError(t, w.Commit(ctx), storage.ErrExist)
	wantData(t, s, "mine", []byte("first"))
	if found := list(t, s, ""); !slices.Equal(found, []string{"mine"}) {
		t.Errorf("left behind: %v", found)
	}
}

func exclusiveRace(t *testing.T, s storage.Store) {
	const writers = 8
	var committed atomic.Int32
	var winner atomic.Value
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			text := fmt.Sprintf("writer %d", i)
			w, err := s.Create(ctx, "dir/race", storage.CreateOptions{Exclusive: true})
			if err != nil {
				t.Error(err)
				return
			}
			io.WriteString(w, text)
			if err := w.Commit(ctx); err == nil {
				committed.Add(1)
				winner.Store(text)
			} else if !errors.Is(err, storage.ErrExist) {
				t.Errorf("the losers get %v", err)
			}
		})
	}
	wg.Wait()
	if committed.Load() != 1 {
		t.Fatalf("%d of %d exclusive writers committed", committed.Load(), writers)
	}
	wantData(t, s, "dir/race", []byte(winner.Load().(string)))
}

func missing(t *testing.T, s storage.Store) {
	write(t, s, "dir/blob", []byte("x"))
	for _, name := range []string{"nothing", "dir", "dir/blob/below"} {
		_, err := s.Open(ctx, name)
		wantError(t, err, storage.ErrNotExist)
		_, err = s.Stat(ctx, name)
		wantError(t, err, storage.ErrNotExist)
	}
}

func remove(t *testing.T, s storage.Store) {
	write(t, s, "a/b/c", []byte("x"))
	write(t, s, "a/d", []byte("y"))
	for range 2 {
		if err := s.Remove(ctx, "a/b/c"); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Remove(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	if found := list(t, s, ""); !slices.Equal(found, []string{"a/d"}) {
		t.Fatalf("after Remove: %v", found)
	}
	write(t, s, "a/b", []byte("a blob where a folder was"))
}

func listing(t *testing.T, s storage.Store) {
	all := []string{"a-b", "a/b", "a/c/d", "a0", "docs/part-00000", "docs/part-00001", "docs-old/x", "z ü+%.json"}
	for i, name := range all {
		write(t, s, name, random(i))
	}
	slices.Sort(all)
	for _, c := range []struct {
		prefix string
		want   []string
	}{
		{"", all},
		{"a", []string{"a-b", "a/b", "a/c/d", "a0"}},
		{"a/", []string{"a/b", "a/c/d"}},
		{"a/c/", []string{"a/c/d"}},
		{"docs/part-0000", []string{"docs/part-00000", "docs/part-00001"}},
		{"docs", []string{"docs-old/x", "docs/part-00000", "docs/part-00001"}},
		{"a/b", []string{"a/b"}},
		{"nothing/", []string{}},
		{"z ü", []string{"z ü+%.json"}},
	} {
		if got := list(t, s, c.prefix); !slices.Equal(got, c.want) {
			t.Errorf("List(%q) = %q, want %q", c.prefix, got, c.want)
		}
	}
	for info, err := range s.List(ctx, "") {
		if stat, _ := s.Stat(ctx, info.Name); err != nil || stat.Size != info.Size {
			t.Errorf("List says %+v, Stat %+v", info, stat)
		}
		break // an iteration may stop at any time
	}
}

func names(t *testing.T, s storage.Store) {
	for _, name := range []string{"", ".", "..", "/a", "a/", "a//b", "../a", "a/../b", "a/./b", "a\x00b"} {
		if _, err := s.Create(ctx, name, storage.CreateOptions{}); err == nil {
			t.Errorf("Create(%q) succeeds", name)
		}
		if _, err := s.Open(ctx, name); err == nil {
			t.Errorf("Open(%q) succeeds", name)
		}
	}
	for _, name := range []string{"with space", "q?x=1&y", "per%20cent", "ümlaut", "#hash", "plus+", "a b/c d"} {
		write(t, s, name, []byte(name))
		wantData(t, s, name, []byte(name))
	}
}

func readAt(t *testing.T, s storage.Store) {
	data := random(5000)
	write(t, s, "blob", data)
	o, err := s.Open(ctx, "blob")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	for _, c := range []struct{ off, n, want int }{{0, 10, 10}, {4990, 10, 10}, {4990, 20, 10}, {5000, 1, 0}, {9000, 5, 0}, {17, 4000, 4000}, {0, 5001, 5000}} {
		b := make([]byte, c.n)
		n, err := o.ReadAt(b, int64(c.off))
		if n != c.want || n < c.n && err != io.EOF || n == c.n && err != nil && err != io.EOF {
			t.Errorf("ReadAt(%d bytes, %d) = %d, %v", c.n, c.off, n, err)
		}
		if n > 0 && !bytes.Equal(b[:n], data[c.off:c.off+n]) {
			t.Errorf("ReadAt(%d bytes, %d) gives other bytes", c.n, c.off)
		}
	}
}

func concurrentReads(t *testing.T, s storage.Store) {
	data := random(3 << 20)
	write(t, s, "blob", data)
	o, err := s.Open(ctx, "blob")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	var wg sync.WaitGroup
	for seed := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewSource(int64(seed)))
			for range 25 {
				off := r.Intn(len(data))
				b := make([]byte, min(r.Intn(200_000)+1, len(data)-off))
				if n, err := o.ReadAt(b, int64(off)); n != len(b) || err != nil && err != io.EOF {
					t.Errorf("ReadAt: %d of %d, %v", n, len(b), err)
				} else if !bytes.Equal(b, data[off:off+n]) {
					t.Error("ReadAt gives other bytes")
				}
			}
		})
	}
	wg.Wait()
}

func openAcrossReplace(t *testing.T, s storage.Store) {
	old, new := bytes.Repeat([]byte("old!"), 100), bytes.Repeat([]byte("NEW?"), 100)
	write(t, s, "blob", old)
	o, err := s.Open(ctx, "blob")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	write(t, s, "blob", new)
	b := make([]byte, len(old))
	if n, err := o.ReadAt(b, 0); err == nil || errors.Is(err, io.EOF) {
		if !bytes.Equal(b[:n], old) {
			t.Error("an open blob gives bytes of the one that replaced it")
		}
	}
}

func cancelled(t *testing.T, s storage.Store) {
	write(t, s, "blob", random(100))
	dead, cancel := context.WithCancel(ctx)
	o, err := s.Open(dead, "blob")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	w, err := s.Create(dead, "other", storage.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, "data")
	cancel()
	if _, err := o.ReadAt(make([]byte, 10), 0); !errors.Is(err, context.Canceled) {
		t.Errorf("a read after the context ended gives %v", err)
	}
	if err := w.Commit(dead); !errors.Is(err, context.Canceled) {
		t.Errorf("Commit after the context ended gives %v", err)
	}
	_, err = s.Stat(ctx, "other")
	wantError(t, err, storage.ErrNotExist)
	if _, err := s.Stat(dead, "blob"); !errors.Is(err, context.Canceled) {
		t.Errorf("Stat after the context ended gives %v", err)
	}
}

// large is beyond one part of an upload and one block of a cache.
func large(t *testing.T, s storage.Store) {
	data := random(20 << 20)
	w, err := s.Create(ctx, "large", storage.CreateOptions{Exclusive: true})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	for rest := data; len(rest) > 0; {
		n, err := w.Write(rest[:min(len(rest), 777_777)])
		if err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	if err := w.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	wantData(t, s, "large", data)
	w, err = s.Create(ctx, "large", storage.CreateOptions{Exclusive: true})
	if err != nil {
		t.Fatal(err)
	}
	w.Write(data)
	wantError(t, w.Commit(ctx), storage.ErrExist)
	w, err = s.Create(ctx, "given-up", storage.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w.Write(data)
	if err := w.Abort(); err != nil {
		t.Fatal(err)
	}
	if found := list(t, s, ""); !slices.Equal(found, []string{"large"}) {
		t.Errorf("left behind: %v", found)
	}
}

package pipeline

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"mmc4/internal/storage"
)

var errDead = errors.New("the process is dead")

// dying is a store that dies at its n-th change: the change is made (after) or not, and nothing works from then on.
type dying struct {
	storage.Store
	n     *atomic.Int64
	after bool
}

func (d *dying) change(do func() error) error {
	switch n := d.n.Add(-1); {
	case n > 0:
		return do()
	case n == 0 && d.after:
		do()
	}
	return errDead
}

func (d *dying) dead() bool { return d.n.Load() <= 0 }

func (d *dying) Create(ctx context.Context, name string, o storage.CreateOptions) (storage.Writer, error) {
	if d.dead() {
		return nil, errDead
	}
	w, err := d.Store.Create(ctx, name, o)
	if err != nil {
		return nil, err
	}
	return &dyingWriter{w, d}, nil
}

func (d *dying) Remove(ctx context.Context, name string) error {
	return d.change(func() error { return d.Store.Remove(ctx, name) })
}

func (d *dying) Open(ctx context.Context, name string) (storage.Object, error) {
	if d.dead() {
		return nil, errDead
	}
	return d.Store.Open(ctx, name)
}

func (d *dying) List(ctx context.Context, prefix string) iter.Seq2[storage.Info, error] {
	if d.dead() {
		return func(yield func(storage.Info, error) bool) { yield(storage.Info{}, errDead) }
	}
	return d.Store.List(ctx, prefix)
}

type dyingWriter struct {
	storage.Writer
	d *dying
}

func (w *dyingWriter) Commit(ctx context.Context) error {
	return w.d.change(func() error { return w.Writer.Commit(ctx) })
}

// withStore makes Build use a store of the test's own.
func withStore(t testing.TB, wrap func(storage.Store) storage.Store) {
	old := openRun
	openRun = func(ctx context.Context, cfg *Config) (storage.Store, error) {
		s, err := old(ctx, cfg)
		if err != nil {
			return nil, err
		}
		return wrap(s), nil
	}
	t.Cleanup(func() { openRun = old })
}

// TestDeathAtAnyCommit kills a build before or after some of its commits, goes on, and compares.
func TestDeathAtAnyCommit(t *testing.T) {
	w := newWorld(t, 40)
	whole := t.TempDir()
	build(t, w.config(whole))
	want := product(t, whole)

	deaths := &atomic.Int64{}
	after := false
	withStore(t, func(s storage.Store) storage.Store { return &dying{s, deaths, after} })
	const never = 1 << 30
	out := t.TempDir()
	deaths.Store(never)
	build(t, w.config(out))
	changes := never - deaths.Load()
	rnd := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	for range 6 {
		at := 1 + rnd.Int64N(changes)
		after = rnd.IntN(2) == 0
		what := fmt.Sprintf("death at change %d of %d (after %v)", at, changes, after)
		out := t.TempDir()
		deaths.Store(at)
		cfg := w.config(out)
		if _, err := Build(context.Background(), cfg, nil); !errors.Is(err, errDead) {
			t.Fatalf("%s: %v", what, err)
		}
		deaths.Store(never)
		w.mu.Lock()
		clear(w.asked)
		w.mu.Unlock()
		build(t, cfg)
		sameProduct(t, what, product(t, out), want)
	}
}

// TestSlices builds with slices, one after the other and all at once, one of them dying twice on the way.
func TestSlices(t *testing.T) {
	w := newWorld(t, 40)
	whole := t.TempDir()
	build(t, w.config(whole))
	want := product(t, whole)
	ctx := context.Background()

	out := t.TempDir()
	cfg := w.config(out)
	cfg.Stage = "fetch"
	if _, err := Build(ctx, cfg, nil); err == nil || errors.Is(err, ErrUsage) {
		t.Error("fetch ran before locate:", err)
	}
	for _, stage := range Stages {
		for i := range 3 {
			cfg.Stage, cfg.Slice, cfg.Slices = stage, i+1, 3
			s, _ := build(t, cfg)
			if s.Complete != (stage == "pack" && i == 2) {
				t.Errorf("after slice %d of %s: complete %v", i+1, stage, s.Complete)
			}
		}
	}
	sameProduct(t, "slices in turn", product(t, out), want)

	out = t.TempDir()
	cfg = w.config(out)
	rnd := rand.New(rand.NewPCG(1, 1))
	for _, stage := range Stages {
		var slices sync.WaitGroup
		for i := range 5 {
			cfg := cfg
			cfg.Stage, cfg.Slice, cfg.Slices, cfg.Workers = stage, i+1, 5, 1
			lives := 1
			if i == 2 {
				lives = 3
			}
			delays := []time.Duration{time.Duration(rnd.IntN(30)) * time.Millisecond, time.Duration(rnd.IntN(30)) * time.Millisecond}
			slices.Go(func() {
				for life := range lives {
					ctx, cancel := context.WithCancel(ctx)
					if life < lives-1 {
						time.AfterFunc(delays[life], cancel)
					}
					if _, err := Build(ctx, cfg, nil); err != nil && life == lives-1 {
						t.Error(stage, cfg.Slice, err)
					}
					cancel()
				}
			})
		}
		slices.Wait()
	}
	sameProduct(t, "slices at once", product(t, out), want)
}

const childEnv = "MMC4_TEST_CHILD"

func TestMain(m *testing.M) {
	if out := os.Getenv(childEnv); out != "" {
		childBuild(out)
		return
	}
	os.Exit(m.Run())
}

// childBuild is the process that TestKill kills.
func childBuild(out string) {
	w := &world{dir: os.Getenv("MMC4_TEST_WORLD"), server: &server{URL: os.Getenv("MMC4_TEST_SERVER")}}
	cfg := w.config(out)
	cfg.Stage = os.Getenv("MMC4_TEST_STAGE")
	if memory, err := strconv.ParseInt(os.Getenv("MMC4_TEST_MEMORY"), 10, 64); err == nil {
		cfg.Memory = memory << 20
	}
	if _, err := Build(context.Background(), cfg, nil); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if status, err := os.ReadFile("/proc/self/status"); err == nil && cfg.Stage != "" {
		_, peak, _ := strings.Cut(string(status), "VmHWM:")
		peak, _, _ = strings.Cut(peak, "\n")
		fmt.Println(strings.TrimSpace(peak))
	}
}

// TestKill kills the process with SIGKILL at up to ten random moments (a fast run ends sooner), and compares.
func TestKill(t *testing.T) {
	w := newWorld(t, 40)
	whole := t.TempDir()
	started := time.Now()
	build(t, w.config(whole))
	took := time.Since(started)
	want := product(t, whole)
	out := t.TempDir()
	rnd := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	killed := 0
	for killed < 10 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), childEnv+"="+out, "MMC4_TEST_WORLD="+w.dir, "MMC4_TEST_SERVER="+w.server.URL)
		child.Stderr = os.Stderr
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(time.Duration(rnd.Int64N(int64(took)/2)), func() { child.Process.Kill() })
		err := child.Wait()
		kill.Stop()
		if err == nil {
			break
		}
		killed++
	}
	build(t, w.config(out))
	sameProduct(t, fmt.Sprintf("killed %d times", killed), product(t, out), want)
	t.Logf("killed %d times", killed)
}

// full is a store on a disk with room for so many bytes.
type full struct {
	storage.Store
	room *atomic.Int64
}

func (f *full) Create(ctx context.Context, name string, o storage.CreateOptions) (storage.Writer, error) {
	w, err := f.Store.Create(ctx, name, o)
	if err != nil {
		return nil, err
	}
	return &fullWriter{w, f}, nil
}

type fullWriter struct {
	storage.Writer
	f *full
}

func (w *fullWriter) Write(b []byte) (int, error) {
	if w.f.room.Add(-int64(len(b))) < 0 {
		return 0, &os.PathError{Op: "write", Path: "somewhere", Err: syscall.ENOSPC}
	}
	return w.Writer.Write(b)
}

// TestFullDisk: a clear message, and once there is room the build goes on.
func TestFullDisk(t *testing.T) {
	w := newWorld(t, 30)
	whole := t.TempDir()
	build(t, w.config(whole))
	room := &atomic.Int64{}
	withStore(t, func(s storage.Store) storage.Store { return &full{s, room} })
	out := t.TempDir()
	for _, bytes := range []int64{3_000, 30_000, 100_000} {
		room.Store(bytes)
		_, err := Build(context.Background(), w.config(out), nil)
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "run the same command again") {
			t.Errorf("with room for %d bytes: %v", bytes, err)
		}
	}
	room.Store(1 << 40)
	build(t, w.config(out))
	sameProduct(t, "after a full disk", product(t, out), product(t, whole))
}

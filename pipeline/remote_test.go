package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"mmc4/internal/storage"
)

// startS3 runs an S3 server in this process with a bucket named bucket.
func startS3(t *testing.T) storage.Options {
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server())
	t.Cleanup(s.Close)
	awsEnvironment(t)
	return storage.Options{Endpoint: s.URL}
}

// remoteProduct reads the same files as product, from a store.
func remoteProduct(t *testing.T, s storage.Store) map[string]string {
	t.Helper()
	got := map[string]string{}
	for _, prefix := range []string{"docs/", "rejects/", "files/"} {
		for info, err := range s.List(context.Background(), prefix) {
			if err != nil {
				t.Fatal(err)
			}
			data, err := storage.ReadFile(context.Background(), s, info.Name)
			if err != nil {
				t.Fatal(err)
			}
			got[info.Name] = string(data)
		}
	}
	return got
}

// startVersity runs the S3 server that MMC4_VERSITYGW names, with a bucket named bucket.
func startVersity(t *testing.T) storage.Options {
	program := os.Getenv("MMC4_VERSITYGW")
	if program == "" {
		t.Skip("MMC4_VERSITYGW does not name a versitygw; tools/s3server/README.md tells how to build one")
	}
	port, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address, root := port.Addr().String(), t.TempDir()
	port.Close()
	if err := os.Mkdir(filepath.Join(root, "bucket"), 0o777); err != nil {
		t.Fatal(err)
	}
	server := exec.Command(program, "--access", "a", "--secret", "b", "--port", address, "posix", root)
	server.Stderr = os.Stderr
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Process.Kill(); server.Wait() })
	awsEnvironment(t)
	for range 100 {
		if answer, err := http.Get("http://" + address); err == nil {
			answer.Body.Close()
			return storage.Options{Endpoint: "http://" + address}
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("versitygw does not answer")
	return storage.Options{}
}

func awsEnvironment(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "a")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "b")
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(t.TempDir(), "none"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "none"))
}

// TestS3 builds from and to S3: the same files as from and to a folder, also by slices.
func TestS3(t *testing.T) { sameOnS3(t, startS3(t)) }

// TestVersity does so against a server that is a program of its own (tools/s3server builds it).
func TestVersity(t *testing.T) { sameOnS3(t, startVersity(t)) }

// upload puts the files of a world into the bucket.
func (w *world) upload(t *testing.T, options storage.Options) {
	ctx := context.Background()
	inputs, err := storage.Open(ctx, "s3://bucket", options)
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(w.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, _ := filepath.Rel(w.dir, path)
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return storage.WriteFile(ctx, inputs, filepath.ToSlash(name), data)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func sameOnS3(t *testing.T, options storage.Options) {
	w := newWorld(t, 25)
	local := t.TempDir()
	build(t, w.config(local))
	want := product(t, local)

	ctx := context.Background()
	w.upload(t, options)
	remote := func(run string) Config {
		cfg := w.config("s3://bucket/" + run)
		cfg.Storage, cfg.Scratch = options, t.TempDir()
		cfg.C4 = []string{"s3://bucket/c4/*.json.gz"}
		cfg.WAT = []string{"s3://bucket/crawl-data/*/segments/*/wat/*.wat.gz"}
		return cfg
	}
	cfg := remote("run")
	build(t, cfg)
	run, err := storage.Open(ctx, cfg.Out, options)
	if err != nil {
		t.Fatal(err)
	}
	sameProduct(t, "S3", remoteProduct(t, run), want)

	cfg = remote("sliced")
	for _, stage := range Stages {
		for i := range 2 {
			cfg.Stage, cfg.Slice, cfg.Slices = stage, i+1, 2
			build(t, cfg)
		}
	}
	if run, err = storage.Open(ctx, cfg.Out, options); err != nil {
		t.Fatal(err)
	}
	sameProduct(t, "S3 by slices", remoteProduct(t, run), want)
}

// TestIndexOnS3 reads index and WARC files from S3.
func TestIndexOnS3(t *testing.T) {
	options := startS3(t)
	w := indexWorld(t, nil)
	w.upload(t, options)
	local, remote := w.byIndex(t.TempDir()), w.byIndex(t.TempDir())
	remote.C4, remote.Index, remote.WARCBase, remote.Storage = []string{"s3://bucket/c4/*"}, []string{"s3://bucket/indexes/*"}, "s3://bucket/", options
	build(t, local)
	build(t, remote)
	if locatedStreams(t, local) != locatedStreams(t, remote) {
		t.Error("other pages from S3 than from disk")
	}
}

// TestLease: a remote run has one builder; a dead one is succeeded, one that was given up at once.
func TestLease(t *testing.T) {
	ctx := context.Background()
	store := storage.NewMemory()
	unlock, err := takeLease(ctx, store, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := takeLease(ctx, store, nil); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "in use by process") {
		t.Error(err)
	}
	unlock()
	second, err := takeLease(ctx, store, nil)
	if err != nil {
		t.Fatal("a lease that was given back is still held:", err)
	}
	second()
	dead, _ := json.Marshal(lease{"process 1 on nowhere", time.Now().Add(-2 * leaseDeath)})
	n, err := newestLease(ctx, store)
	if err != nil {
		t.Fatal(err)
	}
	if err := storage.WriteFile(ctx, store, leaseName(n+1), dead); err != nil {
		t.Fatal(err)
	}
	third, err := takeLease(ctx, store, nil)
	if err != nil {
		t.Fatal("a dead holder keeps the run:", err)
	}
	third()
}

// TestListings reads .paths.gz with --warc-base.
func TestListings(t *testing.T) {
	w := newWorld(t, 20)
	whole := t.TempDir()
	build(t, w.config(whole))
	names, _ := filepath.Glob(filepath.Join(w.dir, "crawl-data/*/segments/*/wat/*"))
	var list []string
	for _, name := range names {
		rel, _ := filepath.Rel(w.dir, name)
		list = append(list, filepath.ToSlash(rel))
	}
	w.save(t, "wat.paths.gz", []byte(strings.Join(list, "\n")+"\n"), true)
	out := t.TempDir()
	cfg := w.config(out)
	cfg.WAT = []string{w.dir + "/wat.paths.gz"}
	if _, err := Build(context.Background(), cfg, nil); !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), "--warc-base") {
		t.Error(err)
	}
	cfg.WARCBase = w.dir
	build(t, cfg)
	sameProduct(t, "by listing", product(t, out), product(t, whole))
}

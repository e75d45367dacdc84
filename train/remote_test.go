package train

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"mmc4/internal/storage"
)

// s3 serves a bucket, through a handler when one is given, and gives it.
func s3(t *testing.T, through func(http.Handler) http.Handler) storage.Store {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	handler := gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
	if through != nil {
		handler = through(handler)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	for key, value := range map[string]string{"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "us-east-1",
		"AWS_CONFIG_FILE": "none", "AWS_SHARED_CREDENTIALS_FILE": "none"} {
		t.Setenv(key, value)
	}
	bucket, err := storage.Open(context.Background(), "s3://bucket", storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return bucket
}

// A server that is away while a checkpoint is written is waited for; the checkpoint is whole and the run ends as usual.
func TestS3GoesAway(t *testing.T) {
	var away atomic.Int64 // requests that are still to fail
	bucket := s3(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if away.Add(-1) >= 0 {
				http.Error(w, "away", http.StatusServiceUnavailable)
				return
			}
			h.ServeHTTP(w, r)
		})
	})
	dir := t.TempDir()
	path := languageConfig(t, dir, 6)
	if _, err := train(t, path, filepath.Join(dir, "whole")); err != nil {
		t.Fatal(err)
	}
	c, err := ReadConfig(context.Background(), path, []string{"save.every=3"})
	if err != nil {
		t.Fatal(err)
	}
	waited := false
	_, err = Run(context.Background(), c, Options{Out: "s3://bucket/train", Device: testDevice, Note: func(text string) {
		waited = waited || strings.Contains(text, "trying again")
	}, Progress: func(l LogLine) {
		if l.Step == 3 {
			away.Store(30) // more than the store itself tries again
		}
	}})
	if err != nil || !waited {
		t.Fatalf("waited %v, %v", waited, err)
	}
	local, err := os.ReadFile(filepath.Join(dir, "whole", checkpointName(6), "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	remote, err := storage.ReadFile(context.Background(), bucket, "train/"+checkpointName(6)+"/model.safetensors")
	if err != nil || string(local) != string(remote) {
		t.Errorf("the run ended with other weights: %v", err)
	}
	if _, _, err := loadState(context.Background(), bucket, "train/"+checkpointName(3)); err != nil {
		t.Errorf("the checkpoint that had to wait: %v", err)
	}
}

// Shards are read from S3, and checkpoints and logs go there; the run goes on from it.
func TestOnS3(t *testing.T) {
	bucket := s3(t, nil)
	ctx := context.Background()
	dir := t.TempDir()
	path := flamingoConfig(t, dir, 4)
	shard, err := os.ReadFile(filepath.Join(dir, "docs", "part-00000.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	if err := storage.WriteFile(ctx, bucket, "run/docs/part-00000.parquet", shard); err != nil {
		t.Fatal(err)
	}
	set := []string{"streams.0.paths=['s3://bucket/run/docs/*.parquet']", "save.every=2", "validation.every=0"}
	if _, err := train(t, path, filepath.Join(dir, "whole"), set...); err != nil {
		t.Fatal(err)
	}
	c, err := ReadConfig(ctx, path, set)
	if err != nil {
		t.Fatal(err)
	}
	stopped, cancel := context.WithCancel(ctx)
	_, err = Run(stopped, c, Options{Out: "s3://bucket/train", Device: testDevice, Progress: func(l LogLine) {
		if l.Step == 3 {
			cancel()
		}
	}})
	if err == nil {
		t.Fatal("the run was not stopped")
	}
	if _, err := Run(ctx, c, Options{Out: "s3://bucket/train", Device: testDevice}); err != nil {
		t.Fatal(err)
	}
	local, err := os.ReadFile(filepath.Join(dir, "whole", checkpointName(4), "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	remote, err := storage.ReadFile(ctx, bucket, "train/"+checkpointName(4)+"/model.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	if string(local) != string(remote) {
		t.Error("the run on S3 ended with other weights")
	}
	log, err := storage.ReadFile(ctx, bucket, "train/log.jsonl")
	if err != nil || strings.Count(string(log), "\n") != 4 {
		t.Errorf("log.jsonl: %v, %q", err, log)
	}
}

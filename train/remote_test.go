package train

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"mmc4/internal/storage"
)

// Shards are read from S3, and checkpoints and logs go there; the run goes on from it.
func TestOnS3(t *testing.T) {
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server())
	defer server.Close()
	for key, value := range map[string]string{"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "us-east-1",
		"AWS_CONFIG_FILE": "none", "AWS_SHARED_CREDENTIALS_FILE": "none"} {
		t.Setenv(key, value)
	}
	ctx := context.Background()
	dir := t.TempDir()
	path := flamingoConfig(t, dir, 4)
	shard, err := os.ReadFile(filepath.Join(dir, "docs", "part-00000.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	bucket, err := storage.Open(ctx, "s3://bucket", storage.Options{})
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

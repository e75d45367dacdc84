package storage_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"mmc4/internal/storage"
	"mmc4/internal/storage/storagetest"
)

// TestVersity runs the suite against a server that is a program of its own (tools/s3server builds it).
func TestVersity(t *testing.T) {
	program := os.Getenv("MMC4_VERSITYGW")
	if program == "" {
		t.Skip("MMC4_VERSITYGW does not name a versitygw; tools/s3server/README.md tells how to build one")
	}
	endpoint, root := startVersity(t, program)
	var runs atomic.Int64
	storagetest.Run(t, func(t *testing.T) storage.Store {
		bucket := fmt.Sprintf("bucket-%d", runs.Add(1))
		if err := os.Mkdir(filepath.Join(root, bucket), 0o777); err != nil {
			t.Fatal(err)
		}
		s, err := storage.Open(context.Background(), "s3://"+bucket+"/some/run", storage.Options{Endpoint: endpoint})
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

// startVersity starts the server over a fresh folder, whose sub-folders are the buckets.
func startVersity(t *testing.T, program string) (endpoint, root string) {
	t.Helper()
	port, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := port.Addr().String()
	port.Close()
	root = t.TempDir()
	cmd := exec.Command(program, "--access", "key", "--secret", "secret", "--port", address, "posix", root)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	awsEnvironment(t)
	for range 100 {
		if answer, err := http.Get("http://" + address); err == nil {
			answer.Body.Close()
			return "http://" + address, root
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("versitygw does not answer")
	return "", ""
}

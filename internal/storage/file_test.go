package storage_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"mmc4/internal/storage"
)

// TestManyWriters has writers make and remove the folder of unfinished blobs under each other's hands.
func TestManyWriters(t *testing.T) {
	s := storage.NewFolder(t.TempDir())
	var writers sync.WaitGroup
	for name := range 8 {
		writers.Go(func() {
			for range 3000 {
				w, err := s.Create(t.Context(), fmt.Sprint(name), storage.CreateOptions{})
				if err != nil {
					t.Error(err)
					return
				}
				w.Abort()
			}
		})
	}
	writers.Wait()
}

// TestLeftovers kills a writer in the middle and looks that the next one cleans up, but leaves living writers alone.
func TestLeftovers(t *testing.T) {
	if dir := os.Getenv("MMC4_TEST_WRITER"); dir != "" {
		w, err := storage.NewFolder(dir).Create(context.Background(), "dead", storage.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, "never finished")
		os.Stdout.WriteString("written\n")
		time.Sleep(time.Minute)
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestLeftovers$")
	cmd.Env = append(os.Environ(), "MMC4_TEST_WRITER="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, len("written\n"))); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	living, err := storage.NewFolder(dir).Create(ctx, "living", storage.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if n := count(t, dir); n != 2 {
		t.Fatalf("%d temporary files while two writers live", n)
	}
	cmd.Process.Signal(syscall.SIGKILL)
	cmd.Wait()
	if err := storage.WriteFile(ctx, storage.NewFolder(dir), "other", nil); err != nil {
		t.Fatal(err)
	}
	if n := count(t, dir); n != 1 {
		t.Fatalf("%d temporary files, want the living writer's alone", n)
	}
	if err := living.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("left behind: %v", entries)
	}
}

// count counts the files below the hidden folder.
func count(t *testing.T, dir string) int {
	t.Helper()
	hidden, err := filepath.Glob(filepath.Join(dir, ".*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return len(hidden)
}

func TestFolderErrors(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	below := storage.NewFolder(filepath.Join(dir, "file"))
	if err := storage.WriteFile(ctx, below, "blob", nil); err == nil {
		t.Error("a blob below a file can be written")
	}
	if _, err := below.Stat(ctx, "blob"); err == nil {
		t.Error("a blob below a file is there")
	}
	for info, err := range below.List(ctx, "") {
		t.Errorf("List below a file gives %v, %v", info, err)
	}
	if err := storage.WriteFile(ctx, storage.NewFolder(dir), "file/blob", nil); err == nil {
		t.Error("a blob below a blob can be written")
	}
}

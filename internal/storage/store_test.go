package storage_test

import (
	"testing"
	"time"

	"mmc4/internal/storage"
	"mmc4/internal/storage/storagetest"
)

func folder(t *testing.T) storage.Store { return storage.NewFolder(t.TempDir()) }

func TestFolder(t *testing.T) { storagetest.Run(t, folder) }

func TestMemory(t *testing.T) {
	storagetest.Run(t, func(*testing.T) storage.Store { return storage.NewMemory() })
}

func TestWrappers(t *testing.T) {
	for name, wrap := range map[string]func(storage.Store) storage.Store{
		"retry": func(s storage.Store) storage.Store {
			return storage.Retry(s, storage.RetryPolicy{First: time.Millisecond})
		},
		"rate":        func(s storage.Store) storage.Store { return storage.RateLimit(s, 1e6) },
		"concurrency": func(s storage.Store) storage.Store { return storage.LimitConcurrency(s, 2) },
		"cache":       func(s storage.Store) storage.Store { return storage.BlockCache(s, 2<<20) },
	} {
		t.Run(name, func(t *testing.T) {
			storagetest.Run(t, func(t *testing.T) storage.Store { return wrap(storage.NewMemory()) })
		})
	}
}

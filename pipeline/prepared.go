package pipeline

// What the tasks of a process share and make once.

import (
	"encoding/binary"
	"sync"

	"mmc4/crawl/fetch"
	"mmc4/dedup"
)

// prepared holds what is made on first use.
type prepared struct {
	keys     lazy[*keySet]
	clusters lazy[map[string]map[string]clusterPlace]
	crawl    crawlStores
	common   lazy[*commonHashes]
	fetcher  lazy[*fetch.Fetcher]
	nsfw     lazy[*dedup.Head]
	faces    lazy[*dedup.Head]
}

// lazy makes a value once. A failure is not kept: the next caller tries again.
type lazy[T any] struct {
	mu    sync.Mutex
	made  bool
	value T
}

func (l *lazy[T]) get(make func() (T, error)) (T, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.made {
		return l.value, nil
	}
	v, err := make()
	if err == nil {
		l.value, l.made = v, true
	}
	return v, err
}

func beU64(b []byte) uint64 { return binary.BigEndian.Uint64(b) }

package pipeline

// The memory budget. Large things (a picture being decoded, a Parquet row group) are asked for before they are made, and
// who asks waits until others gave back enough. Sorters get a fixed share each and spill.

import (
	"context"
	"sync"
)

// budget divides Config.Memory. A quarter is for sorters, a quarter for bodies in the fetcher, the rest for what is
// asked for and for the program itself.
type budget struct {
	total int64

	mu      sync.Mutex
	free    int64
	waiting []chan struct{}
}

func newBudget(total int64) *budget { return &budget{total: total, free: total * 3 / 8} }

// sorters is what the sorters of one of n tasks at a time may hold.
func (b *budget) sorters(workers int) int64 { return max(b.total/4/int64(workers), 4<<10) }

// fetcher is what the bodies that are being fetched may hold.
func (b *budget) fetcher() int64 { return b.total / 4 }

// filter is what the set of wanted pages may take while the crawl is read; nothing is decoded or fetched then.
func (b *budget) filter() int64 { return b.total / 2 }

// take waits for n bytes and gives the function that returns them. More than there is at all counts as all there is.
func (b *budget) take(ctx context.Context, n int64) (give func(), err error) {
	n = min(n, b.total*3/8)
	for {
		b.mu.Lock()
		if b.free >= n {
			b.free -= n
			b.mu.Unlock()
			return sync.OnceFunc(func() { b.give(n) }), nil
		}
		wake := make(chan struct{})
		b.waiting = append(b.waiting, wake)
		b.mu.Unlock()
		select {
		case <-wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (b *budget) give(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free += n
	for _, wake := range b.waiting {
		close(wake)
	}
	b.waiting = nil
}

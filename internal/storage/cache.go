package storage

// BlockCache: small reads become few large requests. It serves readers of Parquet, who read a footer, then headers and
// pages one after another.

import (
	"bytes"
	"container/list"
	"context"
	"errors"
	"io"
	"sync"
)

const (
	blockBytes = 1 << 20
	maxAhead   = 8 // blocks that one request brings when an object is read on and on
)

// BlockCache keeps blocks of 1 MiB of the objects that are open, at most capacity bytes of them, least recently used
// out. A read that goes on where the one before ended brings twice as many blocks as that one did, up to 8.
// Reads of 8 MiB or more are passed on as they are.
func BlockCache(s Store, capacity int64) Store {
	return &cacheStore{s, &blocks{capacity: max(capacity, blockBytes), order: list.New(), known: map[blockKey]*list.Element{}}}
}

type cacheStore struct {
	Store
	blocks *blocks
}

func (s *cacheStore) Open(ctx context.Context, name string) (Object, error) {
	o, err := s.Store.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	return &cachedObject{Object: o, blocks: s.blocks}, nil
}

type blockKey struct {
	object *cachedObject
	number int64
}

// block is 1 MiB of an object, or less at its end; ready is closed when data or err are there.
type block struct {
	key   blockKey
	ready chan struct{}
	data  []byte
	err   error
}

// blocks is what all objects of a store share.
type blocks struct {
	mu       sync.Mutex
	capacity int64
	order    *list.List // of *block, the most recently used first
	known    map[blockKey]*list.Element
}

// claim gives the blocks numbers first, first+1, ... and which of the run at its end the caller must bring itself.
func (c *blocks) claim(o *cachedObject, first, count int64) (all, mine []*block) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for number := first; number < first+count; number++ {
		key := blockKey{o, number}
		if e, known := c.known[key]; known {
			c.order.MoveToFront(e)
			all = append(all, e.Value.(*block))
			continue
		}
		b := &block{key: key, ready: make(chan struct{})}
		c.known[key] = c.order.PushFront(b)
		all, mine = append(all, b), append(mine, b)
	}
	for int64(c.order.Len())*blockBytes > c.capacity+count*blockBytes {
		c.forget(c.order.Back())
	}
	return all, mine
}

func (c *blocks) forget(e *list.Element) {
	delete(c.known, e.Value.(*block).key)
	c.order.Remove(e)
}

// drop forgets the blocks for which drop says so.
func (c *blocks) drop(drop func(*block) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for e := c.order.Front(); e != nil; {
		next := e.Next()
		if drop(e.Value.(*block)) {
			c.forget(e)
		}
		e = next
	}
}

type cachedObject struct {
	Object
	blocks *blocks

	mu    sync.Mutex
	next  int64 // the block after those that were brought last
	ahead int64 // how many those were
}

func (o *cachedObject) Close() error {
	o.blocks.drop(func(b *block) bool { return b.key.object == o })
	return o.Object.Close()
}

func (o *cachedObject) ReadAt(b []byte, off int64) (int, error) {
	size := o.Info().Size
	if off < 0 {
		return 0, errors.New("storage: read before the start of an object")
	}
	if off >= size {
		return 0, io.EOF
	}
	if len(b) >= maxAhead*blockBytes {
		return o.Object.ReadAt(b, off)
	}
	want := b[:min(int64(len(b)), size-off)]
	for n := 0; n < len(want); {
		pos := off + int64(n)
		data, err := o.block(pos/blockBytes, (off+int64(len(want))-1)/blockBytes)
		if err != nil {
			return n, err
		}
		n += copy(want[n:], data[pos%blockBytes:])
	}
	if len(want) < len(b) {
		return len(want), io.EOF
	}
	return len(want), nil
}

// block gives one block; last is the last one the same read will ask for.
func (o *cachedObject) block(number, last int64) ([]byte, error) {
	for {
		all, mine := o.blocks.claim(o, number, 1)
		if len(mine) == 0 {
			b := all[0]
			<-b.ready
			if b.err == nil {
				return b.data, nil
			}
			continue // whoever brought it failed and forgot it: try it ourselves
		}
		if err := o.bring(mine[0], last); err != nil {
			return nil, err
		}
		return mine[0].data, nil
	}
}

// bring fetches first and as many blocks after it as the read needs and the pattern of reads suggests, by one request.
func (o *cachedObject) bring(first *block, last int64) error {
	number, size := first.key.number, o.Info().Size
	o.mu.Lock()
	count := last - number + 1
	if number == o.next && o.ahead > 0 {
		count = max(count, min(2*o.ahead, maxAhead))
	}
	count = min(count, (size+blockBytes-1)/blockBytes-number)
	o.next, o.ahead = number+count, count
	o.mu.Unlock()

	run := []*block{first}
	for int64(len(run)) < count {
		_, mine := o.blocks.claim(o, number+int64(len(run)), 1)
		if len(mine) == 0 {
			break // there already, or on its way
		}
		run = append(run, mine[0])
	}
	start := number * blockBytes
	data := make([]byte, min(int64(len(run))*blockBytes, size-start))
	_, err := readAt(o.Object, data, start)
	failedBlocks := map[*block]bool{}
	for i, b := range run {
		if b.err = err; err == nil {
			b.data = bytes.Clone(data[i*blockBytes : min((i+1)*blockBytes, len(data))]) // so that each can go alone
		} else {
			failedBlocks[b] = true
		}
	}
	if err != nil {
		o.blocks.drop(func(b *block) bool { return failedBlocks[b] })
	}
	for _, b := range run {
		close(b.ready)
	}
	return err
}

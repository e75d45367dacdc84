package lm

import (
	"fmt"

	"mmc4/kernels"
)

// Cache keeps the keys and values of what was read so far, so that a step reads only what is new. A prompt shared by
// several continuations is read once: Repeat. It is for one goroutine, and passes on one queue.
type Cache struct {
	rows, capacity int
	length         int // tokens read
	k, v           []kernels.Tensor
	buffers        []kernels.Buffer
}

// NewCache makes an empty cache for rows of up to capacity tokens.
func (m *Model) NewCache(dev kernels.Device, rows, capacity int, dtype kernels.DType) (*Cache, error) {
	c := &Cache{rows: rows, capacity: capacity}
	for range m.Config.Layers {
		for _, list := range []*[]kernels.Tensor{&c.k, &c.v} {
			buf, err := dev.Alloc(max(1, rows*capacity*m.Config.KVHeads*m.Config.HeadDim()*dtype.Size()))
			if err != nil {
				c.Free()
				return nil, fmt.Errorf("key-value cache of %d rows of %d tokens: %w", rows, capacity, err)
			}
			c.buffers = append(c.buffers, buf)
			*list = append(*list, kernels.View(buf, 0, dtype, rows, capacity, m.Config.KVHeads, m.Config.HeadDim()))
		}
	}
	return c, nil
}

// Len is the number of tokens read.
func (c *Cache) Len() int { return c.length }

// Truncate forgets what was read after the first n tokens.
func (c *Cache) Truncate(n int) { c.length = min(c.length, n) }

// Free returns the memory; the queue's work must be done.
func (c *Cache) Free() {
	for _, b := range c.buffers {
		b.Free()
	}
	c.buffers = nil
}

// put appends keys and values [B,T,H,D] of a layer and returns all so far. The length grows when the last layer is done.
func (c *Cache) put(p *kernels.Pass, layer int, k, v kernels.Tensor) (allK, allV kernels.Tensor) {
	to := c.length + k.Dims[1]
	if k.Dims[0] != c.rows || to > c.capacity {
		p.Fail(fmt.Errorf("key-value cache: %d rows of %d tokens do not fit %d rows of %d", k.Dims[0], to, c.rows, c.capacity))
		return k, v
	}
	p.CopyInto(c.k[layer].Slice(1, c.length, to), k)
	p.CopyInto(c.v[layer].Slice(1, c.length, to), v)
	return c.k[layer].Slice(1, 0, to), c.v[layer].Slice(1, 0, to)
}

// putAt is put where the device counts the length: it returns the whole cache.
func (c *Cache) putAt(p *kernels.Pass, layer int, k, v, at kernels.Tensor) (allK, allV kernels.Tensor) {
	p.Do(&kernels.Put{Src: k, Dst: c.k[layer], At: at})
	p.Do(&kernels.Put{Src: v, Dst: c.v[layer], At: at})
	return c.k[layer], c.v[layer]
}

// Repeat copies what row i read to rows i*n .. i*n+n-1 of another cache.
func (c *Cache) Repeat(p *kernels.Pass, into *Cache, n int) {
	for layer := range c.k {
		for _, pair := range [][2]kernels.Tensor{{c.k[layer], into.k[layer]}, {c.v[layer], into.v[layer]}} {
			from := pair[0].Slice(1, 0, c.length)
			for row := range c.rows {
				for j := range n {
					p.CopyInto(pair[1].Slice(0, row*n+j, row*n+j+1).Slice(1, 0, c.length), from.Slice(0, row, row+1))
				}
			}
		}
	}
	into.length = c.length
}

// Select makes row i go on from what row sources[i] read. The first shared tokens are known to be equal.
func (c *Cache) Select(p *kernels.Pass, sources []int, shared int) {
	var moved []int
	for i, s := range sources {
		if i != s {
			moved = append(moved, i)
		}
	}
	if len(moved) == 0 || shared >= c.length {
		return
	}
	mark := p.Arena().Mark()
	for layer := range c.k {
		for _, t := range []kernels.Tensor{c.k[layer], c.v[layer]} {
			tail := t.Slice(1, shared, c.length)
			saved := make([]kernels.Tensor, len(moved))
			for j, i := range moved {
				saved[j] = p.Copy(tail.Slice(0, sources[i], sources[i]+1))
			}
			for j, i := range moved {
				p.CopyInto(tail.Slice(0, i, i+1), saved[j])
			}
			p.Arena().Release(mark)
		}
	}
}

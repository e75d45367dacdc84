package lm

// What prompts begin with is read once. Reading it gives a Prefix; a prompt whose rows name their prefixes reads only the
// columns after them. The columns stand where they would stand otherwise, padding included, so that positions, masks and
// ALiBi's distances are those of a prompt that was read whole.

import (
	"fmt"

	"mmc4/kernels"
)

// Prefix is the beginning of rows to come, with the keys and values of every layer. It outlives passes.
type Prefix struct {
	length int
	cache  *Cache // of one row
}

// ReadPrefix reads ids. before is as in Input.
func (m *Model) ReadPrefix(p *kernels.Pass, ids []int32, before func(layer int, x_BTC kernels.Tensor) kernels.Tensor) (*Prefix, error) {
	cache, err := m.NewCache(p.Device(), 1, len(ids), p.DType)
	if err != nil {
		return nil, err
	}
	m.Hidden(p, Input{IDs: ids, Rows: 1, Counted: true, Cache: cache, Before: before})
	x := &Prefix{len(ids), cache}
	p.Wait()
	if err := p.Err(); err != nil {
		x.Free()
		return nil, err
	}
	return x, nil
}

// Len is the number of tokens read.
func (x *Prefix) Len() int { return x.length }

// Bytes is the memory it takes.
func (x *Prefix) Bytes() int {
	n := 0
	for layer := range x.cache.k {
		n += 2 * x.cache.k[layer].Len() * x.cache.k[layer].DType.Size()
	}
	return n
}

// Free returns the memory; the queue's work must be done.
func (x *Prefix) Free() { x.cache.Free() }

// padding is the number of hidden columns at the left of a row.
func (prompt Prompt) padding(row int) int {
	length := len(prompt.IDs) / prompt.Rows
	n := 0
	for prompt.Mask != nil && n < length && prompt.Mask[row*length+n] == 0 {
		n++
	}
	return n
}

// Known is how many of the first columns need not be read, because every row has padding or its prefix there. At least the
// last column is read.
func (prompt Prompt) Known() int {
	if prompt.Prefixes == nil {
		return 0
	}
	known := len(prompt.IDs)/prompt.Rows - 1
	for row, x := range prompt.Prefixes {
		n := prompt.padding(row)
		if x != nil {
			n += x.length
		}
		known = min(known, n)
	}
	return known
}

// Unread are the columns [B,T-Known] that are to be read, of a value for every token [B,T].
func (prompt Prompt) Unread(values []int32) []int32 {
	known := prompt.Known()
	if known == 0 {
		return values
	}
	length := len(values) / prompt.Rows
	out := make([]int32, 0, prompt.Rows*(length-known))
	for row := range prompt.Rows {
		out = append(out, values[row*length+known:(row+1)*length]...)
	}
	return out
}

// Begin fills an empty cache with what is known of the prompt.
func (c *Cache) Begin(p *kernels.Pass, prompt Prompt) error {
	known := prompt.Known()
	if known == 0 {
		return nil
	}
	if len(prompt.Prefixes) != prompt.Rows || c.rows != prompt.Rows || c.capacity < known || c.length > 0 {
		return fmt.Errorf("key-value cache: %d prefixes for %d rows do not fit %d rows", len(prompt.Prefixes), prompt.Rows, c.rows)
	}
	widest := 0
	for row := range prompt.Rows {
		widest = max(widest, min(known, prompt.padding(row)))
	}
	var nothing kernels.Tensor // padding is hidden, but has to be numbers
	if widest > 0 {
		k := c.k[0]
		nothing = p.Upload(k.DType, make([]byte, widest*k.Dims[2]*k.Dims[3]*k.DType.Size()), 1, widest, k.Dims[2], k.Dims[3])
	}
	for row, x := range prompt.Prefixes {
		pad := min(known, prompt.padding(row))
		for layer := range c.k {
			for _, to := range []struct{ all, prefix kernels.Tensor }{{c.k[layer], x.keys(layer)}, {c.v[layer], x.values(layer)}} {
				mine := to.all.Slice(0, row, row+1)
				if pad > 0 {
					p.CopyInto(mine.Slice(1, 0, pad), nothing.Slice(1, 0, pad))
				}
				if known > pad {
					p.CopyInto(mine.Slice(1, pad, known), to.prefix.Slice(1, 0, known-pad))
				}
			}
		}
	}
	c.length = known
	return p.Err()
}

func (x *Prefix) keys(layer int) (none kernels.Tensor) {
	if x == nil {
		return none
	}
	return x.cache.k[layer]
}

func (x *Prefix) values(layer int) (none kernels.Tensor) {
	if x == nil {
		return none
	}
	return x.cache.v[layer]
}

package data

// The global order of records: a function of seed and epoch. Blocks are permuted; the records of each window of
// consecutive blocks are permuted among themselves. So the order is random, a position is two numbers, and going on from it
// reads no more than one window.

import "math/rand/v2"

// Position is a place in a stream: the next record, counted in the order of its epoch. Where blocks are not counted before they
// are read, it also names the window of the record before it, so that going on need not count those that come earlier.
type Position struct {
	Epoch  int   `json:"epoch"`
	Record int64 `json:"record"`
	Window int   `json:"window,omitempty"`
	First  int64 `json:"first,omitempty"` // that window's first record
}

// Order says how records are ordered.
type Order struct {
	Seed     uint64
	Window   int  // blocks whose records are mixed; at least 1
	Shuffle  bool // false: as they lie
	Resample bool // blocks are drawn with replacement; an epoch has as many as there are
}

// window is some blocks, and the order of their records.
type window struct {
	number int   // in the epoch
	first  int64 // its first record in the epoch, known when all earlier ones are counted
	blocks []int
	order  []int // over the records of blocks, one block after the other
}

// windows lists the n blocks of an epoch, window by window.
func (o Order) windows(n, epoch int) []window {
	rng := rand.New(rand.NewPCG(o.Seed, mix(uint64(epoch), 0xb10c)))
	blocks := make([]int, n)
	for i := range blocks {
		blocks[i] = i
	}
	switch {
	case o.Resample:
		for i := range blocks {
			blocks[i] = rng.IntN(len(blocks))
		}
	case o.Shuffle:
		rng.Shuffle(len(blocks), func(i, j int) { blocks[i], blocks[j] = blocks[j], blocks[i] })
	}
	var out []window
	size := max(o.Window, 1)
	for i := 0; i < len(blocks); i += size {
		out = append(out, window{number: len(out), blocks: blocks[i:min(i+size, len(blocks))]})
	}
	return out
}

// arrange gives the order of a window's n records.
func (o Order) arrange(epoch int, w window, n int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	if o.Shuffle || o.Resample {
		rng := rand.New(rand.NewPCG(mix(o.Seed, uint64(epoch)), uint64(w.first)))
		rng.Shuffle(n, func(i, j int) { order[i], order[j] = order[j], order[i] })
	}
	return order
}

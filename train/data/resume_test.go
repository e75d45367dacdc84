package data

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// counted is a source of a million records that counts what is read of it.
type counted struct {
	blocksOf
	blind bool // it does not tell how many records a block has
	reads atomic.Int64
}

func (s *counted) Blocks() []int {
	if s.blind {
		return slices.Repeat([]int{Uncounted}, len(s.counts))
	}
	return s.counts
}

func million(blind bool) *counted {
	s := &counted{blind: blind}
	for b := range 4000 {
		s.counts = append(s.counts, 250)
		s.names = append(s.names, fmt.Sprint("block ", b))
	}
	return s
}

func (s *counted) Read(_ context.Context, block int) ([]*Document, error) {
	s.reads.Add(1)
	docs := make([]*Document, s.counts[block])
	for i := range docs {
		docs[i] = &Document{ID: fmt.Sprint(block, " ", i), Tokens: []int32{int32(block), int32(i)}}
	}
	return docs, nil
}

// TestResumeInAMillion: going on anywhere in a million records gives the sample that an uninterrupted stream gives there, and
// costs the reading of no more than three windows, the one in use and those ahead of it.
func TestResumeInAMillion(t *testing.T) {
	const n = 1_000_000
	for _, blind := range []bool{false, true} {
		for _, order := range []Order{{Seed: 3, Window: 4, Shuffle: true}, {Seed: 3, Window: 4, Resample: true}} {
			if blind && order.Resample {
				continue
			}
			stream, err := NewStream(context.Background(), million(blind), Packed{}, StreamOptions{Order: order, Prefetch: 1024}, Position{})
			if err != nil {
				t.Fatal(err)
			}
			next := map[Position]string{}
			for k := range n + 1_235 {
				before := stream.Position()
				s, err := stream.Next(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				switch k {
				case 1, 999, 499_999, 777_777, n - 1, n, n + 1, n + 3, n + 1_234:
					next[before] = s.ID
				}
			}
			stream.Close()
			for p, id := range next {
				source := million(blind)
				began := time.Now()
				stream, err := NewStream(context.Background(), source, Packed{}, StreamOptions{Order: order}, p)
				if err != nil {
					t.Fatal(err)
				}
				s, err := stream.Next(context.Background())
				took := time.Since(began)
				stream.Close()
				if err != nil || s.ID != id {
					t.Errorf("%+v: going on at %+v gives %v, %v, not %s", order, p, s, err, id)
				}
				if reads := source.reads.Load(); reads > int64(3*order.Window) {
					t.Errorf("%+v: going on at %+v read %d blocks", order, p, reads)
				}
				t.Logf("%+v: going on at %+v took %v", order, p, took)
			}
		}
	}
}

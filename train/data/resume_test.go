package data

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"
)

// counted is a source of a million records that counts what is read of it.
type counted struct {
	blocksOf
	reads atomic.Int64
}

func million() *counted {
	s := &counted{}
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
	for _, order := range []Order{{Seed: 3, Window: 4, Shuffle: true}, {Seed: 3, Window: 4, Resample: true}} {
		at := map[Position]string{}
		want := []Position{{0, 1}, {0, 999}, {0, 499_999}, {0, 777_777}, {0, n - 1}, {0, n}, {1, 0}, {1, 3}, {1, 1_234}}
		stream, err := NewStream(context.Background(), million(), Packed{}, StreamOptions{Order: order, Prefetch: 1024}, Position{})
		if err != nil {
			t.Fatal(err)
		}
		var whole []string
		for range n + 1_235 {
			s, err := stream.Next(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			whole = append(whole, s.ID)
		}
		stream.Close()
		for _, p := range want {
			at[p] = whole[int64(p.Epoch)*n+p.Record]
		}
		for p, id := range at {
			source := million()
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

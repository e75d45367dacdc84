package pipeline

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand"
	"runtime"
	"slices"
	"testing"
)

// TestSorterAgainstReference sorts random records with and without spills and compares with a stable sort in memory.
func TestSorterAgainstReference(t *testing.T) {
	for seed := range int64(6) {
		rnd := rand.New(rand.NewSource(seed))
		type rec struct {
			p    int
			k, v string
		}
		var want []rec
		s := newSorter(3, t.TempDir())
		for i := range 3000 {
			k := make([]byte, rnd.Intn(12))
			for j := range k {
				k[j] = byte(rnd.Intn(3))
			}
			r := rec{rnd.Intn(3), string(k), fmt.Sprint(i)}
			want = append(want, r)
			s.add(r.p, []byte(r.k), []byte(r.v))
			if seed > 0 && rnd.Intn(30*int(seed)) == 0 {
				if err := s.spill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		slices.SortStableFunc(want, func(a, b rec) int {
			if a.p != b.p {
				return a.p - b.p
			}
			return bytes.Compare([]byte(a.k), []byte(b.k))
		})
		var buf bytes.Buffer
		w, _ := newShardWriter(&buf, 3)
		if err := s.finish(w); err != nil {
			t.Fatal(err)
		}
		if err := w.close(); err != nil {
			t.Fatal(err)
		}
		sh, err := openShard(bytes.NewReader(buf.Bytes()), int64(buf.Len()), "x")
		if err != nil {
			t.Fatal(err)
		}
		var got []rec
		for p := range 3 {
			r := sh.partition(p)
			for {
				more, err := r.next()
				if err != nil {
					t.Fatal(err)
				}
				if !more {
					break
				}
				got = append(got, rec{p, string(r.key), string(r.value)})
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("seed %d: another order", seed)
		}
	}
}

func TestBlobs(t *testing.T) {
	var buf bytes.Buffer
	w, _ := newShardWriter(&buf, 1)
	bodies := [][]byte{bytes.Repeat([]byte("a"), 300_000), {}, []byte("x")}
	var at []int64
	for i, b := range bodies {
		offset, err := w.blob(b)
		if err != nil {
			t.Fatal(err)
		}
		at = append(at, offset)
		w.put(0, []byte{byte(i)}, []byte("meta"))
	}
	w.close()
	s, err := openShard(bytes.NewReader(buf.Bytes()), int64(buf.Len()), "x")
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range bodies {
		if got, err := s.blob(at[i], int64(len(b))); err != nil || !bytes.Equal(got, b) {
			t.Error(i, err)
		}
	}
	if _, err := s.blob(at[2], 300); err == nil {
		t.Error("a wrong length was read")
	}
	r := s.partition(0)
	n := 0
	for more, err := r.next(); more; more, err = r.next() {
		if err != nil || r.key[0] != byte(n) {
			t.Fatal(err)
		}
		n++
	}
	if n != 3 {
		t.Error(n)
	}
}

// TestDamagedShards flips bytes: reading gives records or an error in time, and never panics.
func TestDamagedShards(t *testing.T) {
	data := smallShard(t)
	noticed := 0
	for i := range data {
		bad := bytes.Clone(data)
		bad[i] ^= 0x41
		if err := readAllRecords(bad); errors.Is(err, errDamagedShard) {
			noticed++
		} else if err != nil {
			t.Error(err)
		}
		if readAllRecords(data[:i]) == nil {
			t.Error("cut at", i, "was not noticed")
		}
	}
	if noticed < len(data)-len(shardMagic)-len("body")-frameHeader { // neither of these is read
		t.Errorf("%d of %d flips were noticed", noticed, len(data))
	}
}

func smallShard(t testing.TB) []byte {
	var buf bytes.Buffer
	w, _ := newShardWriter(&buf, 2)
	w.put(0, []byte("a"), bytes.Repeat([]byte("v"), 200))
	w.put(1, []byte("b"), []byte("w"))
	w.blob([]byte("body"))
	if err := w.close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func readAllRecords(data []byte) error {
	s, err := openShard(bytes.NewReader(data), int64(len(data)), "x")
	if err != nil {
		return err
	}
	for p := range s.spans {
		r := s.partition(p)
		for {
			more, err := r.next()
			if err != nil {
				return err
			}
			if !more {
				break
			}
		}
	}
	return nil
}

// TestShardClaims lets frames announce half a GiB, under a right checksum: no memory is taken for what is not there.
func TestShardClaims(t *testing.T) {
	small := smallShard(t)
	first := len(shardMagic)
	index := int(binary.LittleEndian.Uint64(small[len(small)-8-len(shardEndMagic):]))
	for _, c := range []struct {
		what      string
		frame, at int
	}{{"stored", first, 5}, {"before compression", first, 1}, {"stored, of the index", index, 5}} {
		data := bytes.Clone(small)
		h := data[c.frame : c.frame+frameHeader]
		stored := data[c.frame+frameHeader:][:binary.LittleEndian.Uint32(h[5:])]
		binary.LittleEndian.PutUint32(h[c.at:], 1<<29)
		binary.LittleEndian.PutUint32(h[9:], checksum(h, stored))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := readAllRecords(data)
		runtime.ReadMemStats(&after)
		if !errors.Is(err, errDamagedShard) {
			t.Errorf("%s: %v", c.what, err)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 64<<20 {
			t.Errorf("%s: %d MiB were taken", c.what, took>>20)
		}
	}
}

func FuzzShard(f *testing.F) {
	f.Add(smallShard(f))
	f.Fuzz(func(t *testing.T, data []byte) { readAllRecords(data) })
}

func TestKeysOrder(t *testing.T) {
	texts := []string{"", "\x00", "\x00\x00", "\x00a", "a", "a\x00", "a\x00b", "ab", "b"}
	var last []byte
	for _, s := range texts {
		k := append(keyText(nil, s), 0xFF, 0xFF)
		if bytes.Compare(last, k) >= 0 {
			t.Errorf("%q does not come after the one before", s)
		}
		if n := textLen(k); n != len(k)-2 {
			t.Errorf("%q: length %d of %d", s, n, len(k)-2)
		}
		last = k
	}
}

func TestMergeOfManySources(t *testing.T) {
	var sources []source
	closed := 0
	for i := range 300 {
		var buf bytes.Buffer
		w, _ := newShardWriter(&buf, 1)
		for j := range 5 {
			w.put(0, keyU32(nil, uint32(j)), keyU32(nil, uint32(i)))
		}
		w.close()
		s, _ := openShard(bytes.NewReader(buf.Bytes()), int64(buf.Len()), "x")
		sources = append(sources, func() (*records, error) {
			r := s.partition(0)
			r.closer = closeFunc(func() { closed++ })
			return r, nil
		})
	}
	m, err := newMerge(sources, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for j := range 5 {
		for i := range 300 {
			if more, err := m.next(); !more || err != nil || !bytes.Equal(m.key, keyU32(nil, uint32(j))) || !bytes.Equal(m.value, keyU32(nil, uint32(i))) {
				t.Fatal(j, i, more, err, m.key, m.value)
			}
		}
	}
	if more, _ := m.next(); more || closed != 300 {
		t.Error(more, closed)
	}
	m.close()
}

type closeFunc func()

func (f closeFunc) Close() error { f(); return nil }

func TestKeySet(t *testing.T) {
	for _, bytes := range []int64{1 << 20, 1 << 7} {
		s := newKeySet(1000, bytes)
		if int64(len(s.bits)*8) > bytes {
			t.Errorf("%d bytes of %d", len(s.bits)*8, bytes)
		}
		for i := range 1000 {
			s.add(hash64(fmt.Sprint(i)))
		}
		wrong := 0
		for i := range 20000 {
			if has := s.has(hash64(fmt.Sprint(i))); i < 1000 && !has {
				t.Fatal("a key is lost")
			} else if i >= 1000 && has {
				wrong++
			}
		}
		if bytes == 1<<20 && wrong > 60 {
			t.Errorf("%d of 19000 let through wrongly", wrong)
		}
	}
}

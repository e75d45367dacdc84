package audit

import (
	"fmt"
	"os"
	"testing"
)

// TestLedgerSpills fills buckets beyond their memory: every entry comes back, once, beside its like, and no file stays.
func TestLedgerSpills(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var l ledger
	const keys, each = 3, 1500
	for i := range keys * each {
		e := entry{Key: keyOf(fmt.Sprint(i % keys)), Kind: byte(i % 5), Flags: 3, Part: uint32(i), Row: 7, Facts: uint64(i), PHash: 1 << 63, Width: 8, Height: 9, Value: -0.5}
		if err := l.add(&e); err != nil {
			t.Fatal(err)
		}
	}
	groups, total := 0, 0
	err := l.groups(func(group []entry) error {
		groups++
		total += len(group)
		for i, e := range group {
			if e.Facts != uint64(e.Part) || e.PHash != 1<<63 || e.Width != 8 || e.Height != 9 || e.Value != -0.5 || e.Flags != 3 || e.Row != 7 {
				t.Fatalf("%+v", e)
			}
			if i > 0 && e.Kind < group[i-1].Kind {
				t.Fatal("kinds are not in order")
			}
		}
		return nil
	})
	if err != nil || groups != keys || total != keys*each {
		t.Errorf("%d groups, %d entries, %v", groups, total, err)
	}
	if l.dir == "" {
		t.Error("nothing was spilled")
	}
	l.close()
	if _, err := os.Stat(l.dir); !os.IsNotExist(err) {
		t.Error("files stay")
	}
}

func TestCounterForgetsTheRare(t *testing.T) {
	c := NewCounter()
	for i := range 3 * counterNames {
		c.Add(fmt.Sprint("rare", i))
		if i%100 == 0 {
			c.Add("common")
		}
	}
	if top := c.Top(1); len(c.counts) > counterNames || top[0].Name != "common" || top[0].Count != 3*counterNames/100 {
		t.Errorf("%d names, top %v", len(c.counts), top)
	}
}

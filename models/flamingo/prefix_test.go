package flamingo

import (
	"context"
	"errors"
	"math"
	"reflect"
	"testing"

	"mmc4/kernels"
	"mmc4/models/lm"
)

// Prompts that begin with a prefix that was read once are continued and ranked as if they were read whole: with one prefix for
// all rows or several, with paddings shorter and longer than the texts after them, and media that hold only what is still seen.
func TestPrefixes(t *testing.T) {
	const m, x = 58, 60
	one, other := []int32{m, 5, 6, 59, m, 7, 59}, []int32{11, m, 12, 59, m, 13, 14, 59}
	afters := [][]int32{{m, 20, 21}, {m, 22}, {m, 23, 24, 25, 26, 27}}
	candidates := [][]int32{{4}, {5, 6, 7}, {8, 9}}
	for name := range tinyText {
		b := open(t, tinyConfig(t, name, "", ""), Options{}, kernels.PassOptions{})
		read := func(ids []int32, images ...int32) *lm.Prefix {
			b.pass.Reset()
			prefix, err := b.model.ReadPrefix(b.pass, ids, b.model.Resample(b.pass, b.images(5, 1), 1, 1, images))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(prefix.Free)
			return prefix
		}
		a, c := read(one, 0, 1), read(other, 2, 3)
		for i, prefixes := range [][]*lm.Prefix{{a, a, a}, {a, c, a}, {c, nil, c}} {
			p := lm.Prompt{Rows: 3, Prefixes: prefixes}
			var images [][]int32
			for row, prefix := range prefixes {
				ids, seen := one, []int32{0, 1, 4}
				if prefix == c {
					ids, seen = other, []int32{2, 3, 4}
				}
				for range 14 - len(ids) - len(afters[row]) {
					p.IDs, p.Mask = append(p.IDs, x), append(p.Mask, 0)
				}
				for _, id := range append(append([]int32(nil), ids...), afters[row]...) {
					p.IDs, p.Mask = append(p.IDs, id), append(p.Mask, 1)
				}
				images = append(images, seen)
			}
			see := func(p lm.Prompt) *Media {
				b.pass.Reset()
				first := b.model.Unseen(p)
				var slots []int32
				for row, list := range images {
					if first != nil {
						list = append(append([]int32(nil), list[first[row]:]...), -1, -1, -1)[:3]
					}
					slots = append(slots, list...)
				}
				media := b.model.Resample(b.pass, b.images(5, 1), 1, 3, slots)
				media.First = first
				return media
			}
			whole := p
			whole.Prefixes = nil
			if i == 0 && p.Known() != 8 || i == 2 && p.Known() > 5 || whole.Known() != 0 {
				t.Errorf("%s: %d columns of prefixes %d are known", name, p.Known(), i)
			}
			for _, beams := range []int{1, 3} {
				o := Decoding{Decoding: lm.Decoding{MaxNew: 5, EOS: 59, Pad: x, Beams: beams}}
				want, err := b.model.Generate(context.Background(), b.pass, whole, see(whole), o)
				if err != nil {
					t.Fatal(err)
				}
				got, err := b.model.Generate(context.Background(), b.pass, p, see(p), o)
				if err != nil {
					t.Fatal(err)
				}
				for row := range got {
					if !reflect.DeepEqual(got[row].Tokens, want[row].Tokens) || math.Abs(got[row].Score-want[row].Score) > 1e-3 {
						t.Errorf("%s, prefixes %d, %d beams, row %d: %+v, want %+v", name, i, beams, row, got[row], want[row])
					}
				}
			}
			want, err := b.model.Rank(context.Background(), b.pass, whole, see(whole), candidates, Ranking{})
			if err != nil {
				t.Fatal(err)
			}
			got, err := b.model.Rank(context.Background(), b.pass, p, see(p), candidates, Ranking{})
			if err != nil {
				t.Fatal(err)
			}
			for row := range got {
				for j := range candidates {
					if math.Abs(got[row][j]-want[row][j]) > 1e-4*math.Abs(want[row][j]) {
						t.Errorf("%s, prefixes %d, row %d, candidate %d: %v, want %v", name, i, row, j, got[row][j], want[row][j])
					}
				}
			}
		}
	}

	b := open(t, tinyConfig(t, "llama", `, "attend_previous": true`, ""), Options{}, kernels.PassOptions{})
	if _, err := b.model.ReadPrefix(b.pass, one, b.model.Resample(b.pass, b.images(5, 1), 1, 1, []int32{0, 1})); !errors.Is(err, ErrNotShared) {
		t.Errorf("a prefix that depends on what comes after was read: %v", err)
	}
}

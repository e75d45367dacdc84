package tokenizer

// Unicode normalisation form C, with the place of every character in the text it came from. Go's own package is used where
// the text is normal already; it cannot be used to normalise, as it breaks up runs of more than 30 marks (stream-safe
// format), which the references do not. Decompositions and classes are its tables (Unicode 15.0).

import (
	"slices"
	"sync"

	"golang.org/x/text/unicode/norm"
)

// nfcText normalises a string.
func nfcText(s string) string {
	if norm.NFC.IsNormalString(s) {
		return s
	}
	return string(recompose(decompose([]rune(s))))
}

// changed is a character and how it came to be: 0 it replaces one, 1 it was added, -n it replaces one and removes the
// n after it. That is what Hugging Face's alignments count.
type changed struct {
	r      rune
	change int
	ccc    uint8
}

const (
	hangulBase, leadBase, vowelBase, tailBase = 0xac00, 0x1100, 0x1161, 0x11a7
	leads, vowels, tails                      = 19, 21, 28
)

func decompose(text []rune) []changed {
	out := make([]changed, 0, len(text)+8)
	sorted := 0 // everything before is in canonical order
	add := func(r rune, change int) {
		ccc := uint8(0)
		if r >= 0x300 {
			ccc = norm.NFD.PropertiesString(string(r)).CCC()
		}
		if ccc == 0 {
			slices.SortStableFunc(out[sorted:], func(a, b changed) int { return int(a.ccc) - int(b.ccc) })
			sorted = len(out) + 1
		}
		out = append(out, changed{r, change, ccc})
	}
	for _, r := range text {
		if r < 0xc0 {
			add(r, 0)
			continue
		}
		if s := r - hangulBase; s >= 0 && s < leads*vowels*tails {
			add(leadBase+s/(vowels*tails), 0)
			add(vowelBase+s%(vowels*tails)/tails, 1)
			if t := s % tails; t != 0 {
				add(tailBase+t, 1)
			}
			continue
		}
		d := norm.NFD.PropertiesString(string(r)).Decomposition()
		if d == nil {
			add(r, 0)
			continue
		}
		for i, part := range []rune(string(d)) {
			add(part, min(i, 1))
		}
	}
	slices.SortStableFunc(out[sorted:], func(a, b changed) int { return int(a.ccc) - int(b.ccc) })
	return out
}

// compositions maps (first, second) to the character they make.
var compositions = sync.OnceValue(func() map[[2]rune]rune {
	pairs := map[[2]rune]rune{}
	for r := rune(0xc0); r < 0x30000; r++ {
		if r == 0x3400 {
			r = 0xa000 // no compositions among the ideographs
		}
		if r == hangulBase {
			r = 0xd7a4
		}
		if r == 0xd800 {
			r = 0xe000
		}
		d := norm.NFD.PropertiesString(string(r)).Decomposition()
		if d == nil || !norm.NFC.IsNormalString(string(r)) {
			continue // no decomposition, or excluded from composition
		}
		parts := []rune(string(d))
		if len(parts) < 2 {
			continue
		}
		first := []rune(norm.NFC.String(string(parts[:len(parts)-1])))
		if len(first) == 1 {
			pairs[[2]rune{first[0], parts[len(parts)-1]}] = r
		}
	}
	return pairs
})

func compose(a, b rune) (rune, bool) {
	if l, v := a-leadBase, b-vowelBase; l >= 0 && l < leads && v >= 0 && v < vowels {
		return hangulBase + (l*vowels+v)*tails, true
	}
	if s, t := a-hangulBase, b-tailBase; s >= 0 && s < leads*vowels*tails && s%tails == 0 && t > 0 && t < tails {
		return a + t, true
	}
	r, ok := compositions()[[2]rune{a, b}]
	return r, ok
}

// recomposeAligned joins what belongs together.
func recomposeAligned(d []changed) []changed {
	out := d[:0:0]
	starter := -1 // in out
	last := -1    // class of the last character kept after the starter, -1 for none
	for _, c := range d {
		if starter >= 0 && (last < 0 || last < int(c.ccc)) {
			if r, ok := compose(out[starter].r, c.r); ok {
				out[starter].r = r
				out[starter].change += c.change - 1
				continue
			}
		}
		if c.ccc == 0 {
			starter, last = len(out), -1
		} else if starter >= 0 {
			last = int(c.ccc)
		}
		out = append(out, c)
	}
	return out
}

func recompose(d []changed) []rune {
	c := recomposeAligned(d)
	out := make([]rune, len(c))
	for i := range c {
		out[i] = c[i].r
	}
	return out
}

// nfcAligned normalises text and says for each character of the result which character of text it counts as.
func nfcAligned(text []rune) (out []rune, from []int) {
	at := 0
	for _, c := range recomposeAligned(decompose(text)) {
		out = append(out, c.r)
		if c.change > 0 {
			from = append(from, max(at-1, 0))
			continue
		}
		from = append(from, min(at, len(text)-1))
		at += 1 - c.change
	}
	return out, from
}

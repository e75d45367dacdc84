package ptb

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// What the reference prints for these lines, on their own.
func TestLines(t *testing.T) {
	for _, c := range []struct{ caption, lines, tokens string }{
		{"", "", ""},
		{"A dog's ball isn't here.", "a dog 's ball is n't here .", "a dog 's ball is n't here"},
		{"they've cannot gonna 'tis", "they 've can not gon na 't is", "they 've can not gon na 't is"},
		{`a "red" (small) [box] {x}`, "a `` red '' -lrb- small -rrb- -lsb- box -rsb- -lcb- x -rcb-", "a red -lrb- small -rrb- -lsb- box -rsb- -lcb- x -rcb-"},
		{"£5.00 or €3, 30¢ - or US$7", "# 5.00 or $ 3 , 30 cents - or us$ 7", "# 5.00 or $ 3 30 cents or us$ 7"},
		{"wait... a—b a--b", "wait ... a -- b a -- b", "wait a b a b"},
		{"&lt;b&gt; &amp; &quot;x&quot;", "< b > & `` x ''", "< b > & x"},
		{"v1.0 of 5'10\"", "v1 .0 of 5 ' 10 ''", "v1 .0 of 5 10"},
		{"(555) 123-4567", "-lrb-555-rrb-\u00a0123-4567", "-lrb-555-rrb-\u00a0123-4567"},
		{"5 7/8 of ½", "5\u00a07/8 of 1/2", "5\u00a07/8 of 1/2"},
		{"soft\u00adhyphen 🙂 ok", "softhyphen ok", "softhyphen ok"},
		{"İ ΟΔΟΣ", "i\u0307 οδος", "i\u0307 οδος"},
		{"Dr. Gray vs. Inc. men", "dr. gray vs. inc. men", "dr. gray vs. inc. men"},
		{"see www.a.com/bcd, or a@b.org !", "see www.a.com/bcd , or a@b.org !", "see www.a.com/bcd or a@b.org"},
		{"see http://x.com/a?b=1\u00a0", "see http://x.com/a?b=1\u00a0", "see http://x.com/a?b=1"},
		{"see http://x.com/a?b=1\u00a0 .", "see http://x.com/a?b=1\u00a0 .", "see http://x.com/a?b=1\u00a0"},
		{"line\r\nbreak\u2028here", "line break here", "line break here"},
	} {
		if got := Lines([]string{c.caption}); got[0] != c.lines {
			t.Errorf("Lines(%q) = %q, want %q", c.caption, got[0], c.lines)
		}
		if got := Captions([]string{c.caption}); got[0] != c.tokens {
			t.Errorf("Captions(%q) = %q, want %q", c.caption, got[0], c.tokens)
		}
	}
}

// A single letter before a sentence opener gives its full stop away, also over the end of a line.
func TestNextLineMatters(t *testing.T) {
	got := Captions([]string{"rich in vitamin C.", "The end", "rich in vitamin C.", "some end"})
	want := []string{"rich in vitamin c", "the end", "rich in vitamin c.", "some end"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A quoted attribute may run over lines; what follows stays with its own caption.
func TestTokenOverLines(t *testing.T) {
	got := Lines([]string{`a <b c="d`, `e"> f`, "g"})
	want := []string{"a <b\u00a0c=\"d", "e\"> f", "g"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Captions are tokenised in pieces at once; the pieces must not show.
func TestChunks(t *testing.T) {
	var captions []string
	for i := range 3*Chunk + 7 {
		captions = append(captions, []string{"a dog.", "Vitamin C.", "The U.S. team", "", "it's 5."}[i%5])
	}
	var whole piece
	whole.scan(captions, 0, len(captions), 0, nil)
	if !slices.EqualFunc(Lines(captions), whole.lines, func(a string, b []byte) bool { return a == string(b) }) {
		t.Error("pieces differ from the whole")
	}
}

func FuzzLines(f *testing.F) {
	for _, s := range []string{"it's", `<a b="c`, "5 7/8", "no. 7", "\xff\xfe", "www.a.b.com/", "&&amp;amp;", "'n'", "I. The"} {
		f.Add(s, "next")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if got := Lines([]string{a, b}); len(got) != 2 {
			t.Fatal("lines were lost")
		}
	})
}

func BenchmarkCaptions(b *testing.B) {
	captions := slices.Repeat([]string{"A man riding a wave on top of a surfboard.", "Two dogs, one of them brown, don't look at the camera"}, 500)
	Captions(captions)
	for b.Loop() {
		Captions(captions)
	}
}

// TestPlainWords compares lines with what the automaton of all characters alone makes of them.
func TestPlainWords(t *testing.T) {
	slow := func(text string) string {
		var tokens []string
		for at := 0; at < len(text); {
			token, size, do, _, _ := fullScanner().next(text[at:])
			at += size
			if !do.skip && !do.newline {
				tokens = append(tokens, lower(token))
			}
		}
		return strings.Join(tokens, " ")
	}
	rng := rand.New(rand.NewPCG(1, 2))
	scraps := strings.Fields("a A man Mr St Co Ltd vs cannot CANNOT cannots gimme Gonna gotta lemme wanna pt pty Corp U.S. U S e.g. n't don't 's ' \" ' . , - t-shirt 3 1/2 50 % é naïve http://a.b/c x@y.z <b> Jan is The fig No art prop etc Dr PhD")
	for range 20_000 {
		var b strings.Builder
		for range 1 + rng.IntN(6) {
			b.WriteString(scraps[rng.IntN(len(scraps))])
			if rng.IntN(4) > 0 {
				b.WriteByte(' ')
			}
		}
		if got, want := Lines([]string{b.String()})[0], slow(b.String()); got != want {
			t.Fatalf("%q: got %q, want %q", b.String(), got, want)
		}
	}
}

package match

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// prose makes n bytes of English-like text: words of usual lengths, a full stop after every dozen or so, some commas,
// abbreviations, numbers and quotes.
func prose(n int) string {
	rng := rand.New(rand.NewPCG(7, 8))
	words := strings.Fields("the of and to in a is that for it as was with be by on not he his but at are this have from or had an they which one you were all her she there would their we him been has when who will no more if out so up said what its about than into them can only other time new some could these two may first then do")
	var b strings.Builder
	for b.Len() < n {
		for i := range 6 + rng.IntN(16) {
			word := words[rng.IntN(len(words))]
			if i == 0 {
				word = strings.ToUpper(word[:1]) + word[1:]
			}
			b.WriteString(word)
			switch rng.IntN(40) {
			case 0:
				b.WriteString(", ")
			case 1:
				b.WriteString(" Mr. ")
			case 2:
				b.WriteString(" 3.5 ")
			default:
				b.WriteByte(' ')
			}
		}
		b.WriteString([]string{"end. ", "end.\n", "end? ", "“end.” ", "\"end.\" ", "end! "}[rng.IntN(6)])
	}
	return b.String()
}

func BenchmarkSentences(b *testing.B) {
	text := prose(1 << 16)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	var dst []string
	for b.Loop() {
		dst = AppendSentences(dst[:0], text)
	}
}

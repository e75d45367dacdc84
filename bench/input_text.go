package bench

// English-like text drawn from a seed: common words, a tail of made-up ones in Zipf's proportions, names, numbers,
// abbreviations, quotes.

import (
	"math/rand/v2"
	"strings"
)

var commonWords = strings.Fields(`the of and to in a is that for it as was with be by on not he his but at are this have from or had an
they which one you were all her she there would their we him been has when who will no more if out so up said what its about than into
them can only other time new some could these two may first then do any like my now over such our man me even most made after also did
many before must through years where much your way well down should because each just those people too good little state very make world`)

// prose draws text.
type prose struct {
	*rand.Rand
	words []string // the commonest first
	zipf  *rand.Zipf
}

func newProse(rng *rand.Rand) *prose {
	p := &prose{Rand: rng, words: append([]string(nil), commonWords...), zipf: rand.NewZipf(rng, 1.07, 4, 19999)}
	onsets := strings.Fields("b br c ch cl d dr f fl g gr h j k l m n p pl pr qu r s sh st str t th tr v w")
	vowels := strings.Fields("a e i o u ai ea ee ie oo ou")
	codas := strings.Fields("n r s t l m nd st ck ng rt - - - -")
	endings := strings.Fields("ing ed er ly tion ness s - - - - - -")
	for len(p.words) < 20000 {
		var w strings.Builder
		for range 1 + rng.IntN(3) {
			w.WriteString(pick(rng, onsets) + pick(rng, vowels) + pick(rng, codas))
		}
		p.words = append(p.words, strings.ReplaceAll(w.String()+pick(rng, endings), "-", ""))
	}
	return p
}

func pick(rng *rand.Rand, from []string) string { return from[rng.IntN(len(from))] }

func (p *prose) word() string { return p.words[p.zipf.Uint64()] }

func capital(word string) string { return strings.ToUpper(word[:1]) + word[1:] }

// sentence appends one of 5 to 25 words and what ends it.
func (p *prose) sentence(b *strings.Builder) {
	n := 5 + p.IntN(21)
	for i := range n {
		word := p.word()
		if i == 0 || p.IntN(25) == 0 {
			word = capital(word)
		}
		switch p.IntN(60) {
		case 0:
			word = pick(p.Rand, []string{"Mr.", "Dr.", "U.S.", "e.g.", "Inc.", "J. K."}) + " " + capital(word)
		case 1:
			word = pick(p.Rand, []string{"3.5", "1,200", "2019", "$40", "12%", "7"}) + " " + word
		case 2:
			word += pick(p.Rand, []string{";", ":", " -", "’s"})
		case 3:
			word = "“" + word + "”"
		}
		b.WriteString(word)
		if i < n-1 {
			if p.IntN(12) == 0 {
				b.WriteByte(',')
			}
			b.WriteByte(' ')
		}
	}
	b.WriteString(pick(p.Rand, []string{".", ".", ".", ".", ".", ".", "?", "!", ".\"", "..."}))
}

// text is n sentences in paragraphs.
func (p *prose) text(n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(pick(p.Rand, []string{" ", " ", " ", " ", "\n"}))
		}
		p.sentence(&b)
	}
	return b.String()
}

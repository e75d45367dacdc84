package caption

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

// randomItems are captions over few words, so that sequences repeat within and between them.
func randomItems(n int, r *rand.Rand) []Item {
	vocabulary := strings.Fields("a a a the man dog red runs on grass with two -lrb- \u00a0x 5\u00a07/8")
	sentence := func() string {
		ws := make([]string, r.IntN(14))
		for i := range ws {
			ws[i] = vocabulary[r.IntN(len(vocabulary))]
		}
		return strings.Join(ws, " ")
	}
	items := make([]Item, n)
	for i := range items {
		items[i].Hypothesis = sentence()
		for range 1 + r.IntN(5) {
			items[i].References = append(items[i].References, sentence())
		}
	}
	return items
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-12*max(1, math.Abs(want)) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestAgainstNaive(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, 17, 50, 700} {
		items := randomItems(n, r)
		corpus, err := NewCorpus(items)
		if err != nil {
			t.Fatal(err)
		}
		cider, rouge := corpus.CIDEr(), corpus.ROUGE()
		wantCIDEr := naiveCIDEr(items)
		var sum float64
		for i := range items {
			near(t, fmt.Sprintf("CIDEr of %d of %d", i, n), cider.PerImage[i], wantCIDEr[i])
			near(t, fmt.Sprintf("ROUGE of %d of %d", i, n), rouge.PerImage[i], naiveROUGE(items[i]))
			sum += wantCIDEr[i]
		}
		near(t, "CIDEr", cider.Corpus, sum/float64(n))
		bleu := corpus.BLEU()
		for k, want := range naiveBLEU(items) {
			near(t, fmt.Sprintf("BLEU-%d", k+1), bleu[k].Corpus, want)
		}
	}
}

// Neither the number of goroutines, which count shares of the sequences, nor the way from text to numbers changes a score.
func TestProcessors(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	word := func() string {
		switch k := r.IntN(40); k {
		case 0:
			return []string{"don't", "U.S.", "naïve", "5\u00a07/8", "tab\there", "", "\"so\"", "cannot", "eight-letter-words"}[r.IntN(9)]
		default:
			return strings.Repeat(string(rune('a'+r.IntN(9))), 1+r.IntN(1+k))
		}
	}
	sentence := func() string {
		ws := make([]string, r.IntN(16))
		for i := range ws {
			ws[i] = word()
		}
		return strings.Join(ws, " ") + []string{"", ".", " .", " C."}[r.IntN(4)]
	}
	hypotheses, references := make([]string, 1300), make([][]string, 1300)
	for i := range hypotheses {
		hypotheses[i] = sentence()
		for range 1 + r.IntN(3) {
			references[i] = append(references[i], sentence())
		}
	}
	references[7][0] = hypotheses[7] + strings.Repeat(" a b a", 40) // more words than a machine word has bits
	hypotheses[8] = references[7][0]
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	all := Want{true, true, true}
	corpus, err := NewCorpus(Tokenise(hypotheses, references))
	if err != nil {
		t.Fatal(err)
	}
	want := corpus.Score(all)
	for _, processors := range []int{1, 2, 5} {
		runtime.GOMAXPROCS(processors)
		for name, read := range map[string]func() (*Corpus, error){
			"NewCorpus": func() (*Corpus, error) { return NewCorpus(Tokenise(hypotheses, references)) },
			"Read":      func() (*Corpus, error) { return Read(hypotheses, references) },
		} {
			corpus, err := read()
			if err != nil {
				t.Fatal(err)
			}
			if got := corpus.Score(all); !reflect.DeepEqual(got, want) {
				t.Errorf("%s with %d processors: %v, want %v", name, processors, got.CIDEr.Corpus, want.CIDEr.Corpus)
			}
			if got := (Result{CIDEr: corpus.CIDEr(), ROUGE: corpus.ROUGE(), BLEU: corpus.BLEU()}); !reflect.DeepEqual(got, *want) {
				t.Errorf("%s with %d processors: scores one by one differ", name, processors)
			}
		}
	}
}

func TestPerfectCaption(t *testing.T) {
	same := Item{Hypothesis: "a dog runs on red grass", References: []string{"a dog runs on red grass"}}
	other := Item{Hypothesis: "two men", References: []string{"the sea at night with stars"}}
	corpus, err := NewCorpus([]Item{same, other})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "CIDEr", corpus.CIDEr().PerImage[0], 10)
	near(t, "ROUGE", corpus.ROUGE().PerImage[0], 1)
	if b := corpus.BLEU()[3].PerImage[0]; math.Abs(b-1) > 1e-8 {
		t.Errorf("BLEU-4 of a perfect caption is %v", b)
	}
	if got := corpus.CIDEr().PerImage[1]; got != 0 {
		t.Errorf("CIDEr of a caption that shares no word is %v", got)
	}
}

func TestNoReferences(t *testing.T) {
	if _, err := NewCorpus([]Item{{Hypothesis: "a"}}); err == nil {
		t.Error("an image without references was scored")
	}
}

// The plain forms.

func countGrams(s string, n int) map[string]int {
	ws, out := words(s), map[string]int{}
	for i := 0; i+n <= len(ws); i++ {
		out[strings.Join(ws[i:i+n], "\x00")]++
	}
	return out
}

func naiveCIDEr(items []Item) []float64 {
	var out []float64
	df := map[string]int{} // images whose references hold a sequence
	for _, item := range items {
		held := map[string]bool{}
		for _, ref := range item.References {
			for n := 1; n <= maxN; n++ {
				for g := range countGrams(ref, n) {
					held[g] = true
				}
			}
		}
		for g := range held {
			df[g]++
		}
	}
	for _, item := range items {
		var sum float64
		for _, ref := range item.References {
			delta := float64(max(0, len(words(item.Hypothesis))-1) - max(0, len(words(ref))-1))
			for n := 1; n <= maxN; n++ {
				weigh := func(s string) (map[string]float64, float64) {
					vec, norm := map[string]float64{}, 0.0
					for g, tf := range countGrams(s, n) {
						vec[g] = float64(tf) * (math.Log(float64(len(items))) - math.Log(math.Max(1, float64(df[g]))))
						norm += vec[g] * vec[g]
					}
					return vec, math.Sqrt(norm)
				}
				h, hNorm := weigh(item.Hypothesis)
				r, rNorm := weigh(ref)
				var dot float64
				for g, w := range h {
					dot += math.Min(w, r[g]) * r[g]
				}
				if hNorm != 0 && rNorm != 0 {
					dot /= hNorm * rNorm
				}
				sum += dot * math.Exp(-delta*delta/72)
			}
		}
		out = append(out, 10*sum/4/float64(len(item.References)))
	}
	return out
}

func naiveBLEU(items []Item) [maxN]float64 {
	var guess, correct [maxN]float64
	var length, refLength float64
	for _, item := range items {
		h := len(words(item.Hypothesis))
		best := -1
		for _, r := range item.References {
			l := len(words(r))
			if best < 0 || abs(l-h) < abs(best-h) || abs(l-h) == abs(best-h) && l < best {
				best = l
			}
		}
		length, refLength = length+float64(h), refLength+float64(best)
		for n := 1; n <= maxN; n++ {
			guess[n-1] += float64(max(0, h-n+1))
			for g, c := range countGrams(item.Hypothesis, n) {
				most := 0
				for _, r := range item.References {
					most = max(most, countGrams(r, n)[g])
				}
				correct[n-1] += float64(min(c, most))
			}
		}
	}
	var out [maxN]float64
	product := 1.0
	for n := range out {
		product *= (correct[n] + 1e-15) / (guess[n] + 1e-9)
		out[n] = math.Pow(product, 1/float64(n+1))
		if ratio := (length + 1e-15) / (refLength + 1e-9); ratio < 1 {
			out[n] *= math.Exp(1 - 1/ratio)
		}
	}
	return out
}

func naiveROUGE(item Item) float64 {
	a := strings.Split(item.Hypothesis, " ")
	var p, r float64
	for _, ref := range item.References {
		b := strings.Split(ref, " ")
		table := make([][]int, len(a)+1)
		for i := range table {
			table[i] = make([]int, len(b)+1)
		}
		for i := range a {
			for j := range b {
				if a[i] == b[j] {
					table[i+1][j+1] = table[i][j] + 1
				} else {
					table[i+1][j+1] = max(table[i][j+1], table[i+1][j])
				}
			}
		}
		common := float64(table[len(a)][len(b)])
		p, r = math.Max(p, common/float64(len(a))), math.Max(r, common/float64(len(b)))
	}
	if p == 0 || r == 0 {
		return 0
	}
	return (1 + 1.44) * p * r / (r + 1.44*p)
}

func BenchmarkScores(b *testing.B) {
	items := randomItems(5000, rand.New(rand.NewPCG(3, 4)))
	for b.Loop() {
		c, _ := NewCorpus(items)
		c.CIDEr()
		c.BLEU()
		c.ROUGE()
	}
}

package match

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/neurosnap/sentences/data"
)

func TestSentences(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{" \n\t", nil},
		{"One.", []string{"One."}},
		{"One. Two.", []string{"One.", "Two."}},
		{"  One.\n\nTwo.  ", []string{"  One.", "Two."}},
		{"What?!! No way!!!", []string{"What?!!", "No way!!", "!"}},
		{"It is old.” Then it fell.", []string{"It is old.” Then it fell."}},
		{`He said "yes." Then he left.`, []string{`He said "yes."`, "Then he left."}},
		{"(It rained.) We stayed.", []string{"(It rained.)", "We stayed."}},
		{"left.Anna came", []string{"left.Anna came"}},
		{"A line\nwithout end", []string{"A line\nwithout end"}},
		{"Mr. Smith met Dr. Jones. They spoke.", []string{"Mr. Smith met Dr. Jones.", "They spoke."}},
		{"Hmm . . . The end.", []string{"Hmm .", ".", ".", "The end."}},
		{"End.\u00a0Next one.", []string{"End.", "Next one."}},
		{"End.\u00a0Next.\u3000Last.", []string{"End.\u00a0Next.", "Last."}}, // the two marks stand in one "word"
		{"End.\u200bNext.", []string{"End.\u200bNext."}},
		{"Bad \xff byte. \xf0\x9f Next.", []string{"Bad \xff byte.", "\xf0\x9f Next."}},
	} {
		if got := Sentences(c.text); !slices.Equal(got, c.want) {
			t.Errorf("%q:\n got %q\nwant %q", c.text, got, c.want)
		}
	}
}

func TestParametersAreTheGoldens(t *testing.T) {
	raw, err := data.Asset("data/english.json")
	if err != nil {
		t.Fatal(err)
	}
	const want = "d4dfe77f9dbb8e504a2ac103ac8c93daf3fb6acee194b7e0b87ee938fa5e2804"
	if got := fmt.Sprintf("%x", sha256.Sum256(raw)); got != want {
		t.Errorf("the module's English parameters are %s, the goldens were made with %s", got, want)
	}
	// No look-up is skipped because a word is long.
	for word := range english().words {
		if len(word)+2*strings.Count(word, "k") >= longest { // the Kelvin sign, three bytes, lower-cases to k
			t.Errorf("%q may be written in more than %d bytes", word, longest)
		}
	}
}

// scraps are what texts for the property tests are put together from.
var scraps = strings.Split("the|The|He|he|in|In|I|market|Market|dr|Dr.|mr.|prof.|u.s.|J.|K|j.|e.g.|Smith-mr.|12.|-3.5|1,000.|٣.|½.|_.|although|But|"+
	".|.|.|?|!|...|..|. . .|?!|,|,,|;|:|-|--|---|\"|'|)|(|]|}|*|@|#|&|`|’|”|İ|ß|é|漢|\xff|\u200b|"+
	" | | | | |  |\n|\n\n|\t|\u00a0|\u2028|\u3000|\u0085|\x1c|\r\n", "|")

func scrapText(rng *rand.Rand) string {
	var b strings.Builder
	for range rng.IntN(25) {
		b.WriteString(scraps[rng.IntN(len(scraps))])
		if rng.IntN(3) == 0 {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

func TestSentencesEqualReference(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 100_000 {
		text := strings.ToValidUTF8(scrapText(rng), "\ufffd")
		if got, want := Sentences(text), referenceSentences(text); !slices.Equal(got, want) {
			t.Fatalf("%q:\n got %q\nwant %q", text, got, want)
		}
	}
}

// checkPieces verifies that sentences are substrings of the text in order with only white space outside them.
func checkPieces(t *testing.T, text string, sentences []string) {
	t.Helper()
	rest := text
	for i, s := range sentences {
		if i > 0 { // white space before the first sentence belongs to it
			rest = strings.TrimLeftFunc(rest, refSpace)
		}
		if s == "" || !strings.HasPrefix(rest, s) {
			t.Fatalf("%q: %q is not the next piece of %q", text, s, rest)
		}
		rest = rest[len(s):]
	}
	if strings.TrimFunc(rest, refSpace) != "" {
		t.Fatalf("%q: %q was lost", text, rest)
	}
}

func FuzzSentences(f *testing.F) {
	for _, s := range []string{"One. Two.", "What?!! No way!!!", "Hmm . . . The", ".\u00a0.\u00a0.\u00a0.", "a.) b", "x.\"--y", "\xff.\xff !", "!\u00a0\xa0", "!\u00a0\xc2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := Sentences(text)
		checkPieces(t, text, got)
		if utf8.ValidString(text) && len(text) < 4096 {
			if want := referenceSentences(text); !slices.Equal(got, want) {
				t.Fatalf("%q:\n got %q\nwant %q", text, got, want)
			}
		}
	})
}

// TestHostileTexts would take hours if time were not linear.
func TestHostileTexts(t *testing.T) {
	const n = 1 << 18
	for _, unit := range []string{".", "?!", ". ", "a.b", "a. ", ".)", ". . ", ",", "-", "a-", "!\n", "\u00a0.", "'", "x", " ", "1.", ".\"--", "\xff."} {
		text := strings.Repeat(unit, n/len(unit))
		checkLinear(t, unit, text)
		checkLinear(t, unit, "Go. "+text+" End. Done")
	}
}

func checkLinear(t *testing.T, unit, text string) {
	total := 0
	for _, s := range Sentences(text) {
		total += len(s)
	}
	if total > len(text) {
		t.Errorf("repeated %q: the sentences are longer than the text", unit)
	}
}

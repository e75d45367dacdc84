package lesson

import (
	"testing"

	"mmc4/models/tokenizer"
)

func TestVocabulary(t *testing.T) {
	const text = "a red dog sees a red cat; the red dog sleeps, the cat does not. "
	data, err := learnVocabulary(text+text, 30)
	if err != nil {
		t.Fatal(err)
	}
	bpe, err := tokenizer.NewBPE(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{text, "größer\t\x00 <|endoftext|>", ""} {
		if got := bpe.Decode(bpe.Encode(s)); got != s {
			t.Errorf("%q comes back as %q", s, got)
		}
	}
	if n := len(bpe.Encode(" red dog")); n != 2 {
		t.Errorf("two frequent words are %d tokens", n)
	}
	again, _ := learnVocabulary(text+text, 30)
	if string(again) != string(data) {
		t.Error("the same text gives another vocabulary")
	}
}

func TestReader(t *testing.T) {
	r := newReader()
	r.add(1, "a red dog")
	r.add(1, "the dog sleeps")
	r.add(2, "a red key")
	if got := r.kind("look, the dog"); got != 1 {
		t.Errorf("dog is %d", got)
	}
	if got := r.kind("a key"); got != 2 {
		t.Errorf("key is %d", got)
	}
}

package main

import (
	"strings"
	"testing"

	"mmc4/models/tokenizer"
)

// The merges come by count, then by the alphabet; the table makes a tokenizer that knows the frequent words.
func TestLearnMerges(t *testing.T) {
	table, err := learnMerges([]string{"ab ab abc", "ab, “cd” " + strings.Repeat("x y ", 100), "é É"}, 5)
	if err != nil {
		t.Fatal(err)
	}
	_, merges, _ := strings.Cut(string(table), "\n")
	if want := "a b</w>\nÃ ©</w>\na b\nab c</w>\nc d</w>"; merges != want {
		t.Errorf("merges\n%s\nnot\n%s", merges, want)
	}
	words, err := tokenizer.NewCLIP(table)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(words.Encode("ab abc cd é")); n != 4+2 {
		t.Errorf("%d tokens", n)
	}
}

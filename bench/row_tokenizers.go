package bench

// Text to ids with a byte-level BPE of 50,000 ids, trained by the peer on the same text.

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"mmc4/models/tokenizer"
)

var tokenizerRows = []Row{{Name: "tokenizers.bpe", Input: "1,000 texts of 40 sentences, GPT-2's pre-tokenizer, 50,000 ids", Peer: "Hugging Face tokenizers", Bar: 1.5, Open: openTokenizer}}

func openTokenizer(_ context.Context, lab *Lab) (*Contest, error) {
	p := newProse(lab.Rand("tokenizers"))
	texts := make([]string, 1000)
	size := 0
	for i := range texts {
		texts[i] = p.text(40)
		size += len(texts[i])
	}
	encoded, err := json.Marshal(texts)
	if err != nil {
		return nil, err
	}
	path, err := lab.Write("texts.json", encoded)
	if err != nil {
		return nil, err
	}
	vocabulary := lab.Path("tokenizer.json")
	peer, err := lab.Python("tokenizers_peer.py", args{"texts": path, "tokenizer": vocabulary, "size": 50000})
	if err != nil {
		return nil, err
	}
	t, err := tokenizer.Load(vocabulary)
	if err != nil {
		return nil, err
	}
	ids := make([][]int, len(texts))
	ours := func() error {
		for i, text := range texts {
			ids[i] = t.Encode(text)
		}
		return nil
	}
	agree := func() (string, error) {
		var theirs [][]int
		if err := peer.OutputJSON(lab, &theirs); err != nil {
			return "", err
		}
		if err := ours(); err != nil {
			return "", err
		}
		n := 0
		for i := range ids {
			if i >= len(theirs) || !slices.Equal(ids[i], theirs[i]) {
				return "", fmt.Errorf("outputs differ: text %d", i)
			}
			n += len(ids[i])
		}
		return fmt.Sprintf("%d ids equal", n), nil
	}
	return &Contest{Unit: "MB/s", Work: float64(size) / 1e6, Ours: self{run: ours}, Theirs: peer, Agree: agree}, nil
}

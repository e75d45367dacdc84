package tokenizer

// Reading byte-level BPE tokenizers: Hugging Face's tokenizer.json, and vocab.json with merges.txt. Foreign bytes: nothing
// is believed, nothing grows beyond the files.

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// BPEOptions says what vocab.json and merges.txt leave open.
type BPEOptions struct {
	NFC         bool
	PrefixSpace bool
	TrimOffsets bool
	Before      []string     // special tokens put before every text (OPT: "</s>")
	Added       []AddedToken // ids count; those below 0 are given the next free id
}

type tokenizerJSON struct {
	AddedTokens   []AddedToken    `json:"added_tokens"`
	Normalizer    *stage          `json:"normalizer"`
	PreTokenizer  *stage          `json:"pre_tokenizer"`
	PostProcessor *stage          `json:"post_processor"`
	Model         json.RawMessage `json:"model"`
}

// stage is any step of a tokenizer.json; only some fields belong to each type.
type stage struct {
	Type           string `json:"type"`
	Normalizers    []*stage
	PreTokenizers  []*stage `json:"pretokenizers"`
	Processors     []*stage
	AddPrefixSpace bool  `json:"add_prefix_space"`
	TrimOffsets    bool  `json:"trim_offsets"`
	UseRegex       *bool `json:"use_regex"`
	Single         []struct {
		SpecialToken *struct{ ID string }
		Sequence     *struct{ ID string }
	} `json:"single"`
	SpecialTokens map[string]struct{ IDs []int } `json:"special_tokens"`
	Cls, Sep      json.RawMessage
}

type modelJSON struct {
	Type         string            `json:"type"`
	Dropout      *float64          `json:"dropout"`
	UnkToken     *string           `json:"unk_token"`
	Prefix       *string           `json:"continuing_subword_prefix"`
	Suffix       *string           `json:"end_of_word_suffix"`
	ByteFallback bool              `json:"byte_fallback"`
	IgnoreMerges bool              `json:"ignore_merges"`
	Vocab        map[string]int    `json:"vocab"`
	Merges       []json.RawMessage `json:"merges"`
}

// NewBPE reads a tokenizer.json.
func NewBPE(data []byte) (*BPE, error) {
	var file tokenizerJSON
	var model modelJSON
	err := json.Unmarshal(data, &file)
	if err == nil {
		if len(file.Model) == 0 {
			return nil, errors.New("tokenizer.json has no model")
		}
		err = json.Unmarshal(file.Model, &model)
	}
	if err != nil {
		return nil, fmt.Errorf("tokenizer.json is damaged or not one (fetch it again): %w", err)
	}
	empty := func(s *string) bool { return s == nil || *s == "" }
	switch {
	case model.Type != "BPE" && model.Type != "":
		return nil, fmt.Errorf("tokenizer.json holds a %s model; byte-level BPE is supported", model.Type)
	case model.Dropout != nil && *model.Dropout != 0:
		return nil, errors.New("tokenizer.json asks for dropout of merges, which makes ids random")
	case !empty(model.Prefix) || !empty(model.Suffix) || model.ByteFallback:
		return nil, errors.New("tokenizer.json holds a BPE model that is not byte-level (prefix, suffix or byte fallback); use its tokenizer.model or its vocab.json and merges.txt")
	}
	pairs := make([][2]string, len(model.Merges))
	for i, raw := range model.Merges {
		if pairs[i], err = mergePair(raw); err != nil {
			return nil, fmt.Errorf("tokenizer.json: merge %d: %w", i, err)
		}
	}
	b, err := newBPE(model.Vocab, pairs, model.UnkToken)
	if err != nil {
		return nil, fmt.Errorf("tokenizer.json: %w", err)
	}
	if model.IgnoreMerges {
		b.whole = map[string]int32{}
		for token, id := range model.Vocab {
			b.whole[string(tokenBytes(token))] = int32(id)
		}
	}
	for _, step := range []error{b.setNormalizer(file.Normalizer), b.setPreTokenizer(file.PreTokenizer), b.addTokens(file.AddedTokens), b.setPostProcessor(file.PostProcessor)} {
		if step != nil {
			return nil, fmt.Errorf("tokenizer.json: %w", step)
		}
	}
	return b, nil
}

// mergePair reads ["a", "b"] or "a b".
func mergePair(raw json.RawMessage) (pair [2]string, err error) {
	if raw[0] == '[' {
		var list []string
		if err := json.Unmarshal(raw, &list); err != nil {
			return pair, err
		}
		if len(list) != 2 {
			return pair, fmt.Errorf("%d parts instead of 2", len(list))
		}
		return [2]string{list[0], list[1]}, nil
	}
	var line string
	if err := json.Unmarshal(raw, &line); err != nil {
		return pair, err
	}
	return mergeLine(line)
}

func mergeLine(line string) (pair [2]string, err error) {
	a, b, ok := strings.Cut(line, " ")
	if !ok || a == "" || b == "" || strings.Contains(b, " ") {
		return pair, fmt.Errorf("%q is not two tokens and a space", line)
	}
	return [2]string{a, b}, nil
}

// NewBPEFiles reads vocab.json and merges.txt.
func NewBPEFiles(vocab, merges []byte, o BPEOptions) (*BPE, error) {
	var tokens map[string]int
	if err := json.Unmarshal(vocab, &tokens); err != nil {
		return nil, fmt.Errorf("vocab.json: %w", err)
	}
	pairs, err := mergeLines(withoutVersion(merges))
	if err != nil {
		return nil, fmt.Errorf("merges.txt: %w", err)
	}
	b, err := newBPE(tokens, pairs, nil)
	if err != nil {
		return nil, fmt.Errorf("vocab.json and merges.txt: %w", err)
	}
	b.nfc, b.prefixSpace, b.words, b.trim, b.trimPrefix = o.NFC, o.PrefixSpace, true, o.TrimOffsets, o.PrefixSpace
	next := len(b.tokens)
	added := make([]AddedToken, len(o.Added))
	for i, t := range o.Added {
		if id, ok := b.ID(t.Content); ok {
			t.ID = id
		} else if t.ID < 0 {
			t.ID = next
		}
		next = max(next, t.ID+1)
		added[i] = t
	}
	if err := b.addTokens(added); err != nil {
		return nil, err
	}
	for _, token := range o.Before {
		id, ok := b.ID(token)
		if !ok {
			return nil, fmt.Errorf("the token %q, which goes before every text, is not in the vocabulary", token)
		}
		b.before = append(b.before, id)
	}
	return b, nil
}

// withoutVersion drops the "#version" line that merges.txt begins with.
func withoutVersion(merges []byte) []byte {
	if bytes.HasPrefix(merges, []byte("#version")) {
		_, merges, _ = bytes.Cut(merges, []byte("\n"))
	}
	return merges
}

// mergeLines reads a pair a line.
func mergeLines(data []byte) ([][2]string, error) {
	var pairs [][2]string
	for n, line := range bytes.Split(data, []byte("\n")) {
		text := strings.TrimSuffix(string(line), "\r")
		if text == "" {
			continue
		}
		pair, err := mergeLine(text)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
		pairs = append(pairs, pair)
	}
	return pairs, nil
}

// idLimit is how large an id may be in a vocabulary of n tokens: small holes are allowed, but no table that is mostly empty.
func idLimit(n int) int { return 16*n + 4096 }

func newBPE(vocab map[string]int, merges [][2]string, unk *string) (*BPE, error) {
	if len(vocab) == 0 {
		return nil, errors.New("the vocabulary is empty")
	}
	b := &BPE{ids: make(map[string]int32, len(vocab)), added: map[int]*AddedToken{}, special: map[int]bool{}}
	size := 0
	for token, id := range vocab {
		if id < 0 || id >= idLimit(len(vocab)) {
			return nil, fmt.Errorf("token %q has the id %d in a vocabulary of %d", token, id, len(vocab))
		}
		size = max(size, id+1)
	}
	b.tokens, b.content = make([]string, size), make([][]byte, size)
	for token, id := range vocab {
		if b.content[id] != nil {
			return nil, fmt.Errorf("the id %d belongs to %q and %q", id, b.tokens[id], token)
		}
		b.tokens[id], b.content[id], b.ids[token] = token, tokenBytes(token), int32(id)
	}
	missing := int32(-1)
	if unk != nil {
		id, ok := b.ids[*unk]
		if !ok {
			return nil, fmt.Errorf("the unknown token %q is not in the vocabulary", *unk)
		}
		missing = id
	}
	for c := range b.byteIDs {
		b.byteIDs[c] = missing
		if id, ok := b.ids[string(byteRunes[c])]; ok {
			b.byteIDs[c] = id
		}
	}
	b.merges = newPairTable(len(merges))
	for rank, pair := range merges {
		left, ok1 := b.ids[pair[0]]
		right, ok2 := b.ids[pair[1]]
		made, ok3 := b.ids[pair[0]+pair[1]]
		if !ok1 || !ok2 || !ok3 {
			return nil, fmt.Errorf("merge %d joins %q and %q, but the vocabulary lacks one of them or %q", rank, pair[0], pair[1], pair[0]+pair[1])
		}
		b.merges.put(left, right, pairValue{int32(rank), made})
	}
	return b, nil
}

func (b *BPE) addTokens(tokens []AddedToken) error {
	for _, t := range tokens {
		if t.Content == "" {
			return errors.New("an added token is empty")
		}
		if t.ID < 0 || t.ID >= idLimit(len(b.ids)+len(tokens)) {
			return fmt.Errorf("the added token %q has the id %d in a vocabulary of %d", t.Content, t.ID, len(b.ids))
		}
		b.setAdded(t)
	}
	b.buildFinders()
	return nil
}

func (b *BPE) setNormalizer(s *stage) error {
	switch {
	case s == nil:
		return nil
	case s.Type == "NFC":
		b.nfc = true
		return nil
	case s.Type == "Sequence":
		for _, inner := range s.Normalizers {
			if err := b.setNormalizer(inner); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("the normalizer %q is not supported", s.Type)
}

func (b *BPE) setPreTokenizer(s *stage) error {
	switch {
	case s != nil && s.Type == "ByteLevel":
		b.prefixSpace = s.AddPrefixSpace
		b.words = s.UseRegex == nil || *s.UseRegex
		return nil
	case s != nil && s.Type == "Sequence" && len(s.PreTokenizers) == 1:
		return b.setPreTokenizer(s.PreTokenizers[0])
	case s == nil:
		return errors.New("there is no pre_tokenizer; byte-level BPE needs ByteLevel")
	}
	return fmt.Errorf("the pre_tokenizer %q is not supported; GPT-2's ByteLevel is", s.Type)
}

func (b *BPE) setPostProcessor(s *stage) error {
	if s == nil {
		return nil
	}
	switch s.Type {
	case "ByteLevel":
		b.trim, b.trimPrefix = s.TrimOffsets, s.AddPrefixSpace
		return nil
	case "Sequence":
		for _, inner := range s.Processors {
			if err := b.setPostProcessor(inner); err != nil {
				return err
			}
		}
		return nil
	case "RobertaProcessing":
		b.trim, b.trimPrefix = s.TrimOffsets, s.AddPrefixSpace
		cls, err1 := tokenAndID(s.Cls)
		sep, err2 := tokenAndID(s.Sep)
		b.before, b.after = []int{cls}, []int{sep}
		return errors.Join(err1, err2)
	case "TemplateProcessing":
		return b.setTemplate(s)
	}
	return fmt.Errorf("the post_processor %q is not supported", s.Type)
}

func (b *BPE) setTemplate(s *stage) error {
	seen := false
	for _, part := range s.Single {
		switch {
		case part.Sequence != nil:
			seen = true
		case part.SpecialToken != nil:
			ids := s.SpecialTokens[part.SpecialToken.ID].IDs
			if len(ids) == 0 {
				return fmt.Errorf("the template's token %q has no id", part.SpecialToken.ID)
			}
			if seen {
				b.after = append(b.after, ids...)
			} else {
				b.before = append(b.before, ids...)
			}
		}
	}
	if !seen {
		return errors.New("the template leaves the text out")
	}
	return nil
}

// tokenAndID reads ["</s>", 2].
func tokenAndID(raw json.RawMessage) (int, error) {
	var pair []json.RawMessage
	if err := json.Unmarshal(raw, &pair); err != nil || len(pair) != 2 {
		return 0, errors.New("a special token of the post_processor is not a text and an id")
	}
	var id int
	err := json.Unmarshal(pair[1], &id)
	return id, err
}

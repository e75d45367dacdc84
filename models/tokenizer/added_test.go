package tokenizer

import (
	"reflect"
	"testing"
)

// Overlapping added tokens and the spaces they take, as tokenizers 0.23.3 gives them.
func TestAddedTokens(t *testing.T) {
	one, plain := 5000, 5001
	b, err := NewBPE(tinyJSON(t, func(m map[string]any) {
		m["added_tokens"] = []any{
			map[string]any{"id": one, "content": "<m>", "rstrip": true, "lstrip": true},
			map[string]any{"id": plain, "content": "  "},
			map[string]any{"id": 5002, "content": "xy", "single_word": true},
			map[string]any{"id": 5003, "content": "A\u030a", "normalized": true},
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	space, _ := b.ID("Ġ")
	a, _ := b.ID("a")
	x, _ := b.ID("x")
	y, _ := b.ID("y")
	ring, _ := b.ID("Ã")
	for _, c := range []struct {
		text    string
		ids     []int
		offsets [][2]int
	}{
		// rstrip takes the spaces, the token of two spaces is found in them again, and what is left after it follows
		{"<m>   a", []int{one, plain, space, a}, [][2]int{{0, 3}, {5, 5}, {6, 6}, {6, 7}}},
		{"a <m>\ta", []int{a, one, a}, [][2]int{{0, 1}, {2, 5}, {6, 7}}},
		{"<m>  <m>", []int{one, plain, one}, [][2]int{{0, 3}, {5, 5}, {5, 8}}},
		{"xy\u2160", []int{x, y}, nil}, // a Roman numeral is a letter to a regular expression
		{"xy.", []int{5002}, nil},
		{"\u00c5", []int{5003}, [][2]int{{0, 1}}},
	} {
		ids, offsets := b.EncodeOffsets(c.text)
		if got := b.Encode(c.text); !reflect.DeepEqual(got, ids) {
			t.Errorf("%q: %v, with offsets %v", c.text, got, ids)
		}
		if len(ids) < len(c.ids) || !reflect.DeepEqual(ids[:len(c.ids)], c.ids) {
			t.Errorf("%q: %v, want %v", c.text, ids, c.ids)
		}
		if c.offsets != nil && !reflect.DeepEqual(offsets, c.offsets) {
			t.Errorf("%q: offsets %v, want %v", c.text, offsets, c.offsets)
		}
	}
	if got := b.Decode([]int{5003, ring}); got != "\ufffd\ufffd" { // decoded as the bytes that its characters stand for
		t.Errorf("%q", got)
	}
}

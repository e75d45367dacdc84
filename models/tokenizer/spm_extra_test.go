package tokenizer

import "testing"

// Spaces that a model leaves out, as sentencepiece 0.2.3 does it.
func TestExtraSpaces(t *testing.T) {
	model, err := NewSentencePiece(tinySPM("a", "b", "▁"))
	if err != nil {
		t.Fatal(err)
	}
	model.model.removeExtra = true
	for _, user := range []string{"", "  "} {
		if user != "" {
			model.user.add(&AddedToken{ID: 1, Content: user}, user)
		}
		for _, c := range []struct{ text, plain, user string }{
			{"a", "▁a", "▁a"},
			{"  a  b  ", "▁a▁b", "▁a▁▁b"}, // two spaces that are a piece stay two, but at the ends
			{"a   b", "▁a▁b", "▁a▁▁b"},
			{"a▁ ▁", "▁a", "▁a"}, // marks in the text go with the spaces at the end
			{"▁", "", ""},
			{" ", "", ""},
		} {
			want := c.plain
			if user != "" {
				want = c.user
			}
			if got := string(model.prepare(c.text)); got != want {
				t.Errorf("%q with the piece %q: %q, want %q", c.text, user, got, want)
			}
		}
	}
}

package train

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Kept visual tokens change no loss: while they are made, when they are read, and without the tower's weights. What is missing
// or of another tower is named.
func TestVisualTokens(t *testing.T) {
	dir := t.TempDir()
	path := flamingoConfig(t, dir, 8)
	want := func(out string, set ...string) []string {
		t.Helper()
		if _, err := train(t, path, filepath.Join(dir, out), set...); err != nil {
			t.Fatalf("%s: %v", out, err)
		}
		all := losses(t, filepath.Join(dir, out))
		slices.Sort(all)
		return all
	}
	plain := want("plain")
	kept := "visual_tokens.path=" + filepath.Join(dir, "tokens")
	refuse := "visual_tokens.missing=refuse"
	same := func(what string, got []string) {
		t.Helper()
		if !slices.Equal(got, plain) {
			t.Errorf("%s: losses\n%s\nnot\n%s", what, strings.Join(got, "\n"), strings.Join(plain, "\n"))
		}
	}
	same("tokens made", want("made", kept))
	same("tokens read", want("read", kept, refuse))
	same("no tower", want("bare", kept, refuse, "weights.vision=''"))

	segments, _ := filepath.Glob(filepath.Join(dir, "tokens", "*.safetensors"))
	if len(segments) == 0 {
		t.Fatal("no tokens were kept")
	}
	refused := func(what, says string, set ...string) {
		t.Helper()
		if _, err := train(t, path, filepath.Join(dir, what), set...); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("missing", "no visual tokens of picture", "visual_tokens.path="+filepath.Join(dir, "nowhere"), refuse)
	refused("other tower", "no visual tokens", kept, refuse, "weights.vision="+otherTower(t, dir))
	refused("no tokens and no tower", "no visual tokens", "visual_tokens.path="+filepath.Join(dir, "nowhere"), refuse, "weights.vision=''")
	refused("no tower to compute", "weights.vision is missing", kept, "weights.vision=''")

	for _, segment := range segments {
		text, err := os.ReadFile(segment)
		if err != nil {
			t.Fatal(err)
		}
		text[len(text)-1] ^= 1
		if err := os.WriteFile(segment, text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	same("damaged tokens", want("damaged", kept))
	text, err := os.ReadFile(filepath.Join(dir, "damaged", "rejects.jsonl"))
	if err != nil || !strings.Contains(string(text), ruleTokens) {
		t.Errorf("damaged tokens stand in no reject: %v\n%s", err, text)
	}
	same("tokens made anew", want("anew", kept, refuse))
}

package train

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mmc4/models/flamingo"
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

// Tokens of a tower in another type are kept in the type that the model computes in, and change no loss either.
func TestVisualTokensOfTypes(t *testing.T) {
	for _, set := range []string{"precision=bf16", "frozen=bf16", "frozen=int8"} {
		dir := t.TempDir()
		path := flamingoConfig(t, dir, 6)
		var all [3][]string
		for i, more := range [][]string{nil, {"visual_tokens.path=" + filepath.Join(dir, "tokens")}, {"visual_tokens.path=" + filepath.Join(dir, "tokens"), "visual_tokens.missing=refuse"}} {
			out := filepath.Join(dir, string(rune('a'+i)))
			if _, err := train(t, path, out, append(more, set)...); err != nil {
				t.Fatalf("%s %v: %v", set, more, err)
			}
			all[i] = losses(t, out)
			slices.Sort(all[i])
		}
		if !slices.Equal(all[0], all[1]) || !slices.Equal(all[0], all[2]) {
			t.Errorf("%s: losses without tokens, making and reading them:\n%s", set, strings.Join(slices.Concat(all[0], all[1], all[2]), "\n"))
		}
	}
}

// A step that finds its tokens kept is without the tower's operations, and nothing else.
func TestWorkWithoutTower(t *testing.T) {
	model, err := flamingo.ParseConfig([]byte(`{"vision":{"embed_dim":16,"vision_cfg":{"image_size":28,"layers":2,"width":64,"patch_size":14}},
		"lm":{"model_type":"gpt_neox","vocab_size":600,"hidden_size":16,"num_hidden_layers":2,"num_attention_heads":2,"intermediate_size":32,"max_position_embeddings":64}}`))
	if err != nil {
		t.Fatal(err)
	}
	c := &Config{Kind: KindFlamingo, Accumulate: 2, Streams: []StreamConfig{{Batch: 3, MaxTokens: 16, MaxImages: 5}, {Batch: 4, MaxTokens: 16, MaxImages: 5, Sequences: "pairs"}}}
	s := &shapes{flamingo: model}
	tower := visionWork(model.Vision, 2*(3*5+4), false).total()
	if whole, kept := c.stepWork(s, false).total(), c.stepWork(s, true).total(); tower == 0 || math.Abs(whole-kept-tower) > 1e-9*whole {
		t.Errorf("a step of %g operations, %g without a tower of %g", whole, kept, tower)
	}
}

package train

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mmc4/internal/imaging"
	"mmc4/models/flamingo"
	"mmc4/train/data"
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

// What a step is said to compute is what its batches made it compute: rows and tokens that are there, labels that are predicted, and
// pictures that the tower looked at, which are none where all tokens are kept.
func TestWorkOfBatches(t *testing.T) {
	model, err := flamingo.ParseConfig([]byte(`{"vision":{"embed_dim":16,"vision_cfg":{"image_size":28,"layers":2,"width":64,"patch_size":14}},
		"lm":{"model_type":"gpt_neox","vocab_size":600,"hidden_size":16,"num_hidden_layers":2,"num_attention_heads":2,"intermediate_size":32,"max_position_embeddings":64}}`))
	if err != nil {
		t.Fatal(err)
	}
	c := &Config{Kind: KindFlamingo, Accumulate: 1, Streams: []StreamConfig{{Batch: 3, MaxTokens: 16, MaxImages: 5}, {Batch: 4, MaxTokens: 16, MaxImages: 5, Sequences: "pairs"}}}
	batch := func(rows, length, slots, pictures, predicted int) Part {
		b := &data.Batch{Rows: rows, Len: length, Slots: slots, Pictures: make([]*imaging.RGB, pictures), Slot: make([]int, rows*slots), LossTokens: predicted}
		for i := range b.Slot {
			if b.Slot[i] = i; i >= pictures {
				b.Slot[i] = -1
			}
		}
		return Part{Batch: b}
	}
	f := &Flamingo{}
	r := &run{workplace: &workplace{config: c, shapes: &shapes{flamingo: model}, task: f}}
	near := func(what string, got, want float64) {
		t.Helper()
		if want == 0 || math.Abs(got-want) > 1e-9*want {
			t.Errorf("%s: %g operations, not %g", what, got, want)
		}
	}
	full := []Part{batch(3, 16, 5, 15, 48), batch(4, 16, 1, 4, 64)}
	whole := r.workOf(full, 0)
	near("batches at the limits of the config", whole, c.stepWork(r.shapes).total())
	one := func(pictures float64) float64 { return visionWork(model.Vision, pictures, false).total() }
	small := []Part{batch(3, 12, 5, 7, 9), batch(2, 12, 1, 2, 0)}
	near("a smaller batch, and one without a label", r.workOf(small, 0), FlamingoFLOPs(model, 3, 12, 7, 0.25))
	f.EmptySlots = true
	near("and a picture of zeros", r.workOf(small, 0), FlamingoFLOPs(model, 3, 12, 8, 0.25))
	f.EmptySlots, f.Visual = false, &Visual{}
	near("all tokens kept", r.workOf(full, 0), whole-one(19))
	near("three pictures without tokens", r.workOf(full, 3), whole-one(16))
}

package train

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"mmc4/kernels/device"
	"mmc4/train/data"
)

// A checkpoint that cannot be written ends the run with its name; the one before stays whole, and the run goes on from it to the
// same bits.
func TestFullDisk(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files cannot be limited here")
	}
	dir := t.TempDir()
	path := languageConfig(t, dir, 8)
	whole, out := filepath.Join(dir, "whole"), filepath.Join(dir, "full")
	if _, err := train(t, path, whole); err != nil {
		t.Fatal(err)
	}
	killAfter(t, path, out, 6) // a checkpoint of step 4 is there
	text, err := child(path, out, "MMC4_TRAIN_FILE_LIMIT=20000").CombinedOutput()
	if err == nil || !strings.Contains(string(text), checkpointName(8)) {
		t.Fatalf("a disk that took nothing: %v\n%s", err, text)
	}
	left, err := filepath.Glob(filepath.Join(out, checkpointName(8), "*"))
	if err != nil || len(left) > 0 && contains(left, stateName) {
		t.Errorf("what could not be written looks like a checkpoint: %v, %v", left, err)
	}
	if text, err := child(path, out).CombinedOutput(); err != nil {
		t.Fatalf("going on: %v\n%s", err, text)
	}
	if got, want := hashes(t, out, 8), hashes(t, whole, 8); got != want {
		t.Errorf("after a full disk the run ended with\n%s\nnot\n%s", got, want)
	}
}

func contains(paths []string, name string) bool {
	for _, path := range paths {
		if filepath.Base(path) == name {
			return true
		}
	}
	return false
}

// The checkpoint with the best validation loss stays, besides the newest.
func TestBestIsKept(t *testing.T) {
	dir := t.TempDir()
	path := languageConfig(t, dir, 12)
	set := []string{"validation.every=2", "validation.batches=1", "validation.streams=[{name: held, format: text, paths: [" + filepath.Join(dir, "prose.txt") + "], batch: 4, max_tokens: 16}]",
		"save.every=3", "save.keep=1", "schedule.kind=constant", "optimizer.lr=0.05"}
	out := filepath.Join(dir, "out")
	c, err := ReadConfig(context.Background(), path, set)
	if err != nil {
		t.Fatal(err)
	}
	best := Best{Loss: math.Inf(1)}
	_, err = Run(context.Background(), c, Options{Out: out, Device: testDevice, Progress: func(l LogLine) {
		if v := l.Validation["held"]; v != nil && *v < best.Loss {
			best = Best{l.Step, *v}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(out, "best.json"))
	if want := fmt.Sprintf(`{"step":%d,"loss":%v}`, best.Step, best.Loss); err != nil || strings.TrimSpace(string(text)) != want {
		t.Errorf("best.json is %s (%v), not %s", text, err, want)
	}
	kept, _ := filepath.Glob(filepath.Join(out, "checkpoint-*", stateName))
	want := 2
	if best.Step == 12 {
		want = 1
	}
	if len(kept) != want || !contains([]string{filepath.Dir(kept[0])}, checkpointName(best.Step)) {
		t.Errorf("kept are %v, the best is of step %d", kept, best.Step)
	}
}

// Adapters change nothing at first, are counted, and are in an export that needs nobody to know of them.
func TestLoRA(t *testing.T) {
	dir := t.TempDir()
	path := flamingoConfig(t, dir, 6)
	lora := "lora={r: 2, lora_alpha: 8, target_modules: [query_key_value, dense_h_to_4h]}"
	if _, err := train(t, path, filepath.Join(dir, "plain"), "steps=1"); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	result, err := train(t, path, out, lora, "validation.every=6")
	if err != nil {
		t.Fatal(err)
	}
	loss := func(line string) string { return strings.Join(strings.Fields(line)[:3], " ") }
	if a, b := losses(t, out), losses(t, filepath.Join(dir, "plain")); loss(a[0]) != loss(b[0]) || loss(a[1]) != loss(b[1]) {
		t.Errorf("the first losses are %v with adapters, %v without", a[:2], b)
	}
	ctx := context.Background()
	plans := [2]*Plan{}
	for i, set := range [][]string{nil, {lora}} {
		c, err := ReadConfig(ctx, path, set)
		if err != nil {
			t.Fatal(err)
		}
		if plans[i], err = DryRun(ctx, c, ""); err != nil {
			t.Fatal(err)
		}
	}
	if more := plans[1].Trainable - plans[0].Trainable; more != 2*2*(16+48+16+32) {
		t.Errorf("a dry run counts %d more to train", more)
	}
	c, err := ReadConfig(ctx, path, []string{lora})
	if err != nil {
		t.Fatal(err)
	}
	exported := filepath.Join(dir, "exported")
	if step, err := Export(ctx, c, Options{Out: out, Device: testDevice}, exported); err != nil || step != 6 {
		t.Fatal(step, err)
	}
	validation := func(out string) float64 {
		text, err := os.ReadFile(filepath.Join(out, "log.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		var v float64
		_, rest, _ := strings.Cut(string(text), `"validation":{"held":`)
		if _, err := fmt.Sscanf(rest, "%g", &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	after := filepath.Join(dir, "after") // one step that moves nothing, to be told the validation loss
	if _, err := train(t, path, after, "steps=1", "validation.every=1", "optimizer.lr=1e-12", "weights.start="+exported); err != nil {
		t.Fatal(err)
	}
	if got, want := validation(after), validation(out); math.Abs(got-want) > 1e-5*want {
		t.Errorf("the exported model's validation loss is %v, not %v (training ended with %v)", got, want, result.Loss)
	}
}

// Adapters on a language model that was trained before: they alone are trained and kept, the loss falls on, and an interrupted
// training ends the same.
func TestLoRALanguage(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	path := languageConfig(t, dir, 8)
	base := filepath.Join(dir, "base")
	if _, err := train(t, path, base); err != nil {
		t.Fatal(err)
	}
	for _, frozen := range []string{"", "bf16", "int8"} {
		set := []string{"lora={r: 4, lora_alpha: 16, target_modules: [c_attn]}", "frozen=" + frozen, "weights.start=" + filepath.Join(base, checkpointName(8), "model.safetensors")}
		c, err := ReadConfig(ctx, path, set)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := DryRun(ctx, c, "")
		if err != nil || plan.Trainable != 2*4*(16+3*16) {
			t.Errorf("frozen in %q: %d are trained by the plan, %v", frozen, plan.Trainable, err)
		}
		whole := filepath.Join(dir, "whole"+frozen)
		if _, err := Run(ctx, c, Options{Out: whole, Device: testDevice}); err != nil {
			t.Fatal(err)
		}
		var first, last float64
		var step int
		for i, line := range losses(t, whole) {
			fmt.Sscanf(line, "%d prose %g", &step, &last)
			if i == 0 {
				first = last
			}
		}
		if !(last < first) || step != 8 {
			t.Errorf("frozen in %q: the loss went from %v to %v in %d steps", frozen, first, last, step)
		}
		parts := filepath.Join(dir, "parts"+frozen)
		stop, cancel := context.WithCancel(ctx)
		if _, err := Run(stop, c, Options{Out: parts, Device: testDevice, Progress: func(l LogLine) {
			if l.Step == 3 {
				cancel()
			}
		}}); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if _, err := Run(ctx, c, Options{Out: parts, Device: testDevice, Resume: "auto"}); err != nil {
			t.Fatal(err)
		}
		if a, b := hashes(t, parts, 8), hashes(t, whole, 8); a != b {
			t.Errorf("frozen in %q: interrupted and resumed\n%s, at once\n%s", frozen, a, b)
		}
	}
}

// Frozen weights in int8 or bf16 give nearly the loss of fp32, and train.
func TestFrozenTypes(t *testing.T) {
	dir := t.TempDir()
	path := flamingoConfig(t, dir, 8)
	first := map[string]float64{}
	for _, frozen := range []string{"", "bf16", "int8"} {
		out := filepath.Join(dir, "frozen"+frozen)
		result, err := train(t, path, out, "frozen="+frozen)
		if err != nil {
			t.Fatalf("%q: %v", frozen, err)
		}
		var v float64
		fmt.Sscan(strings.Fields(losses(t, out)[0])[2], &v)
		first[frozen] = v
		if math.Abs(v-first[""]) > 0.02*first[""] {
			t.Errorf("frozen %q: the first loss is %v, in fp32 %v", frozen, v, first[""])
		}
		if end := *result.Loss["captions"]; !(end < v) {
			t.Errorf("frozen %q: the loss went from %v to %v", frozen, v, end)
		}
	}
}

func TestMismatches(t *testing.T) {
	dir := t.TempDir()
	path := flamingoConfig(t, dir, 2)
	for set, says := range map[string]string{
		"model.lm.vocab_size=100":                              "the tokenizer has",
		"model.media_token_id=7":                               "tokenizer and model do not belong together",
		"lora={r: 1, lora_alpha: 1, target_modules: [q_proj]}": "query_key_value",
	} {
		if _, err := train(t, path, filepath.Join(dir, "out"), set); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", set, err)
		}
	}
	if _, err := train(t, path, filepath.Join(dir, "first")); err != nil {
		t.Fatal(err)
	}
	if _, err := train(t, path, filepath.Join(dir, "out"), "streams.0.min_similarity=0.9"); err == nil || !strings.Contains(err.Error(), "rejects.jsonl") {
		t.Errorf("nothing to train on: %v", err)
	}
	none := filepath.Join(dir, "none")
	c, err := ReadConfig(context.Background(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Run(context.Background(), c, Options{Out: filepath.Join(dir, "other"), Device: testDevice, Resume: none}); !errors.As(err, new(ConfigError)) || !strings.Contains(err.Error(), none) {
		t.Errorf("a checkpoint that is not there: %v", err)
	}
	c, err = ReadConfig(context.Background(), path, []string{"model.lm.intermediate_size=48"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Run(context.Background(), c, Options{Out: filepath.Join(dir, "other"), Device: testDevice, Resume: filepath.Join(dir, "first", checkpointName(2))}); !errors.Is(err, ErrRefused) {
		t.Errorf("a checkpoint of another model: %v", err)
	}
}

// Other ids than those by which a language model was taught are refused, even where all of them fit.
func TestAnotherTokenizer(t *testing.T) {
	dir := t.TempDir()
	path := languageConfig(t, dir, 2)
	first, err := train(t, path, filepath.Join(dir, "first"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(goldenTokenizer)
	if err != nil {
		t.Fatal(err)
	}
	var file map[string]any
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	vocab := file["model"].(map[string]any)["vocab"].(map[string]any)
	vocab["a"], vocab["b"] = vocab["b"], vocab["a"]
	if text, err = json.Marshal(file); err != nil {
		t.Fatal(err)
	}
	other := write(t, filepath.Join(dir, "other", "tokenizer.json"), string(text))
	start := "weights.start=" + first.Checkpoint
	if _, err := train(t, path, filepath.Join(dir, "second"), start, "tokenizer.path="+other); err == nil || !strings.Contains(err.Error(), "is not the tokenizer of weights.start") {
		t.Errorf("another tokenizer: %v", err)
	}
	if _, err := train(t, path, filepath.Join(dir, "third"), start); err != nil {
		t.Errorf("its own tokenizer: %v", err)
	}
	// A run whose checkpoints are all damaged says so.
	if err := os.Remove(filepath.Join(first.Checkpoint, "model.safetensors")); err != nil {
		t.Fatal(err)
	}
	if _, err := train(t, path, filepath.Join(dir, "first")); err == nil || !strings.Contains(err.Error(), "begin anew in another folder") {
		t.Errorf("no checkpoint left: %v", err)
	}
}

// A batch in which nothing is to be predicted changes nothing: not even by weight decay.
func TestNothingToPredict(t *testing.T) {
	dir := t.TempDir()
	c, err := ReadConfig(context.Background(), languageConfig(t, dir, 2), nil)
	if err != nil {
		t.Fatal(err)
	}
	dev, err := device.Open(testDevice)
	if err != nil {
		t.Fatal(err)
	}
	s, err := openModel(context.Background(), c, dev)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	stepper := &Stepper{Task: s.task, Optimizer: s.opt, Schedule: c.Schedule, Pass: s.pass, Streams: 1}
	w := s.task.Groups()[0].Weights[0]
	before, _ := w.Values(s.pass)
	b := data.NewBatch([]*data.Sample{{ID: "a", IDs: []int32{5, 6, 7}, Labels: []int32{-100, -100, -100}}}, 0, 0, 0)
	result, err := stepper.Step([]Part{{Weight: 1, Batch: b}})
	after, _ := w.Values(s.pass)
	if err != nil || result.Skipped == "" || fmt.Sprint(before) != fmt.Sprint(after) || s.opt.Step != 0 {
		t.Errorf("skipped %q, %v, update %d", result.Skipped, err, s.opt.Step)
	}
}

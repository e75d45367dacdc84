package train

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mmc4/internal/imaging"
	"mmc4/kernels/device"
	"mmc4/models/clip"
	"mmc4/models/lm/text"
	"mmc4/models/weights"
	"mmc4/schemas"
)

// testDevice is the C device where it was built in.
var testDevice = func() string {
	dev, err := device.Open("cpu")
	if err != nil {
		return "ref"
	}
	dev.Close()
	return "cpu"
}()

var goldenTokenizer, _ = filepath.Abs(filepath.Join("..", "testdata", "golden", "of.pairs", "tokenizer.json"))

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// languageConfig is a tiny language model on prose.
func languageConfig(t *testing.T, dir string, steps int) string {
	words := strings.Fields("the lake bread map museum boat dunes kite river red dog sleeps children keeper clock")
	var text strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&text, "%s %s. ", words[i*7%15], words[(i*i+3)%15])
	}
	prose := write(t, filepath.Join(dir, "prose.txt"), text.String())
	return write(t, filepath.Join(dir, "lm.yaml"), fmt.Sprintf(`
kind: lm
steps: %d
accumulate: 2
model: {model_type: gpt2, vocab_size: 600, n_embd: 16, n_layer: 2, n_head: 2, n_positions: 32}
tokenizer: {path: %s, eos: "<|endoftext|>"}
streams: [{name: prose, format: text, paths: [%s], batch: 4, max_tokens: 16}]
optimizer: {lr: 0.01, clip: 1}
schedule: {kind: cosine, warmup: 3}
save: {every: 4, keep: 2}
`, steps, goldenTokenizer, prose))
}

func train(t *testing.T, path, out string, set ...string) (*Result, error) {
	t.Helper()
	c, err := ReadConfig(context.Background(), path, set)
	if err != nil {
		t.Fatal(err)
	}
	return Run(context.Background(), c, Options{Out: out, Device: testDevice})
}

func losses(t *testing.T, out string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(out, "log.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, line := range bytes.Split(bytes.TrimSpace(text), []byte("\n")) {
		var l struct {
			Step int                 `json:"step"`
			Loss map[string]*float64 `json:"loss"`
			Norm float64             `json:"grad_norm"`
		}
		if err := json.Unmarshal(line, &l); err != nil {
			t.Fatal(err)
		}
		for _, name := range slices.Sorted(maps.Keys(l.Loss)) {
			v := l.Loss[name]
			all = append(all, fmt.Sprintf("%d %s %v %v", l.Step, name, *v, l.Norm))
		}
	}
	return all
}

// hashes are the names and hashes of a checkpoint's files.
func hashes(t *testing.T, out string, step int) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(out, checkpointName(step), stateName))
	if err != nil {
		t.Fatal(err)
	}
	var state State
	if err := json.Unmarshal(text, &state); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(state.Files, state.Positions, state.Updates)
}

// TestMain runs a training in this process when a test asks for a child that it can kill.
func TestMain(m *testing.M) {
	if path := os.Getenv("MMC4_TRAIN_CHILD"); path != "" {
		limitFiles(os.Getenv("MMC4_TRAIN_FILE_LIMIT"))
		c, err := ReadConfig(context.Background(), path, nil)
		if err == nil {
			_, err = Run(context.Background(), c, Options{Out: os.Getenv("MMC4_TRAIN_OUT"), Device: testDevice, Resume: "auto",
				Progress: func(l LogLine) { fmt.Println(l.Step); time.Sleep(5 * time.Millisecond) }})
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// A run that is killed at ten random steps ends with the bits of one that was not: a language model, and a Flamingo with two
// streams, adapters, kept visual tokens and a best checkpoint. MMC4_KILL_SEED repeats the steps of a failure.
func TestKilledRunsEndWithTheSameBits(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("MMC4_KILL_SEED"); text != "" {
		fmt.Sscan(text, &seed)
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	const steps = 30
	for name, make := range map[string]func(t *testing.T, dir string) string{
		"language": func(t *testing.T, dir string) string { return languageConfig(t, dir, steps) },
		"flamingo": func(t *testing.T, dir string) string {
			path := flamingoConfig(t, dir, steps)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			return write(t, path, string(text)+"lora: {r: 2, lora_alpha: 4, target_modules: [query_key_value]}\nvisual_tokens: {path: "+filepath.Join(dir, "tokens")+"}\n")
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := make(t, dir)
			whole, out := filepath.Join(dir, "whole"), filepath.Join(dir, "killed")
			if _, err := train(t, path, whole); err != nil {
				t.Fatal(err)
			}
			var at []int
			for range 10 {
				at = append(at, killAfter(t, path, out, 1+rng.IntN(5)))
			}
			if text, err := child(path, out).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			if got, want := hashes(t, out, steps), hashes(t, whole, steps); got != want {
				t.Errorf("seed %d, killed after steps %v: a killed run ended with\n%s\nnot\n%s", seed, at, got, want)
			}
			if got, want := losses(t, out), losses(t, whole); strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("seed %d, killed after steps %v: losses of the killed run:\n%s\nof the whole one:\n%s", seed, at, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// child is a process that trains.
func child(path, out string, env ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), "MMC4_TRAIN_CHILD="+path, "MMC4_TRAIN_OUT="+out), env...)
	return cmd
}

// killAfter kills a child after so many steps, and gives the last step that it took.
func killAfter(t *testing.T, path, out string, steps int) (last int) {
	t.Helper()
	cmd := child(path, out)
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(pipe); steps > 0 && lines.Scan(); steps-- {
		fmt.Sscan(lines.Text(), &last)
	}
	cmd.Process.Kill()
	_ = cmd.Wait()
	return last
}

func TestWorkersChangeNothing(t *testing.T) {
	for name, path := range map[string]string{"language": languageConfig(t, t.TempDir(), 6), "flamingo": flamingoConfig(t, t.TempDir(), 6)} {
		one, four := filepath.Join(t.TempDir(), "1"), filepath.Join(t.TempDir(), "4")
		for out, set := range map[string][]string{one: {"data.workers=1", "data.prefetch=10"}, four: {"data.workers=4", "data.prefetch=40"}} {
			if _, err := train(t, path, out, set...); err != nil {
				t.Fatal(err)
			}
		}
		if a, b := hashes(t, one, 6), hashes(t, four, 6); a != b {
			t.Errorf("%s: 1 and 4 workers end differently:\n%s\n%s", name, a, b)
		}
		if a, b := losses(t, one), losses(t, four); strings.Join(a, "\n") != strings.Join(b, "\n") {
			t.Errorf("%s: losses of 1 worker %v, of 4 %v", name, a, b)
		}
	}
}

func TestAnotherConfigIsRefused(t *testing.T) {
	dir := t.TempDir()
	path := languageConfig(t, dir, 4)
	if _, err := train(t, path, dir+"/out"); err != nil {
		t.Fatal(err)
	}
	if _, err := train(t, path, dir+"/out", "optimizer.lr=0.02"); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "optimizer") {
		t.Errorf("another learning rate: %v", err)
	}
	state := filepath.Join(dir, "out", checkpointName(4), "model.safetensors")
	text, _ := os.ReadFile(state)
	text[len(text)-1] ^= 1
	if err := os.WriteFile(state, text, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := train(t, path, dir+"/out"); err == nil || !strings.Contains(err.Error(), "SHA-256") {
		t.Errorf("a damaged checkpoint: %v", err)
	}
}

func TestLanguageLearns(t *testing.T) {
	dir := t.TempDir()
	path := languageConfig(t, dir, 60)
	dev, err := device.Open(testDevice)
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	for _, precision := range []string{"fp32", "bf16"} {
		result, err := train(t, path, filepath.Join(dir, precision), "precision="+precision, "model.vocab_size=512")
		if err != nil {
			t.Fatal(err)
		}
		if loss := *result.Loss["prose"]; loss > 4.5 {
			t.Errorf("%s: the loss is %.3f after 60 steps", precision, loss)
		}
		model, err := text.Load(context.Background(), result.Checkpoint, dev, text.Options{})
		if err != nil {
			t.Fatalf("a checkpoint as a model folder: %v", err)
		}
		if end, _ := model.Tokens.ID("<|endoftext|>"); model.Config.EOS != end {
			t.Errorf("its texts end with %d, not with the tokenizer's %d", model.Config.EOS, end)
		}
		model.Close()
	}
}

const towerShape = `{"embed_dim":16,"quick_gelu":true,"vision_cfg":{"layers":1,"width":16,"head_width":8,"patch_size":8,"image_size":16},"text_cfg":{"context_length":8,"vocab_size":16,"width":16,"heads":2,"layers":1}}`

// drawTower writes an image tower with random weights.
func drawTower(t *testing.T, path string, seed uint64) {
	t.Helper()
	config, err := clip.ParseConfig([]byte(towerShape))
	if err == nil {
		err = drawCLIP(path, config, seed)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func otherTower(t *testing.T, dir string) string {
	path := filepath.Join(dir, "other.safetensors")
	drawTower(t, path, 2)
	return path
}

// flamingoConfig writes docs shards, a tower with random weights, and the config of a tiny Flamingo.
func flamingoConfig(t *testing.T, dir string, steps int) string {
	t.Helper()
	drawTower(t, filepath.Join(dir, "tower.safetensors"), 1)
	var shard bytes.Buffer
	w := schemas.NewWriter[schemas.Document](&shard)
	for i := range 24 {
		d := schemas.Document{URL: fmt.Sprintf("http://a.example/%d", i), Timestamp: time.Unix(1, 0).UTC(), TextList: []string{"the lake", fmt.Sprintf("bread %d", i%3), "a dog"}}
		d.DocID = schemas.DocID(d.URL, d.Timestamp)
		for k := range 2 {
			m := imaging.NewRGB(20, 20)
			for j := range m.Pix {
				m.Pix[j] = byte(80 * ((i + k) % 3))
			}
			var jpeg bytes.Buffer
			if err := imaging.EncodeJPEG(&jpeg, m, 90); err != nil {
				t.Fatal(err)
			}
			row := []float32{0, 0, 0}
			row[2-k] = 0.5
			d.SimilarityMatrix = append(d.SimilarityMatrix, row)
			d.ImageInfo = append(d.ImageInfo, schemas.ImageInfo{ImageName: "x.jpg", MatchedTextIndex: int32(2 - k), MatchedSim: 0.5, Bytes: jpeg.Bytes(), SHA256: strings.Repeat("0", 64)})
		}
		if err := w.Write(&d); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "docs", "part-00000.parquet"), shard.String())
	return write(t, filepath.Join(dir, "flamingo.yaml"), fmt.Sprintf(`
kind: flamingo
steps: %d
model:
  vision: %s
  lm: {model_type: gpt_neox, vocab_size: 600, hidden_size: 16, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 32, max_position_embeddings: 64}
  perceiver: {depth: 1, heads: 2, dim_head: 8, num_latents: 4, ff_mult: 2}
  xattn: {heads: 2, dim_head: 8, ff_mult: 2}
weights: {vision: %s/tower.safetensors}
tokenizer: {path: %s, eos: "<|endoftext|>"}
streams:
  - {name: documents, format: docs, paths: ["%s/docs/*.parquet"], batch: 2, min_bytes: 0, max_tokens: 32}
  - {name: captions, format: docs, sequences: pairs, paths: ["%s/docs/*.parquet"], batch: 3, weight: 0.2}
validation: {every: 5, batches: 2, streams: [{name: held, format: docs, paths: ["%s/docs/*.parquet"], batch: 2, min_bytes: 0}]}
optimizer: {lr: 0.01}
save: {every: 3, keep: 9}
`, steps, towerShape, dir, goldenTokenizer, dir, dir, dir))
}

func TestFlamingoTrainsAndResumes(t *testing.T) {
	dir := t.TempDir()
	path := flamingoConfig(t, dir, 10)
	whole := filepath.Join(dir, "whole")
	result, err := train(t, path, whole)
	if err != nil {
		t.Fatal(err)
	}
	if result.Loss["documents"] == nil || result.Loss["captions"] == nil {
		t.Fatalf("%+v", result)
	}
	out := filepath.Join(dir, "out")
	ctx, cancel := context.WithCancel(context.Background())
	c, err := ReadConfig(ctx, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Run(ctx, c, Options{Out: out, Device: testDevice, Progress: func(l LogLine) {
		if l.Step == 4 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("an interrupted run: %v", err)
	}
	if _, err := train(t, path, out); err != nil {
		t.Fatal(err)
	}
	if got, want := hashes(t, out, 10), hashes(t, whole, 10); got != want {
		t.Errorf("an interrupted run ended with\n%s\nnot\n%s", got, want)
	}
	c.Compat = true
	if _, err := Run(context.Background(), c, Options{Out: filepath.Join(dir, "compat"), Device: testDevice}); err != nil {
		t.Errorf("compat: %v", err)
	}
}

func TestCLIPTrains(t *testing.T) {
	dir := t.TempDir()
	const n, side = 64, 16
	pixels := make([]byte, 0, n*side*side*3)
	var rows strings.Builder
	for i := range n {
		for range side * side * 3 {
			pixels = append(pixels, byte(60*(i%4)))
		}
		fmt.Fprintf(&rows, `{"captions":["%s"]}`+"\n", []string{"ab", "cd", "ef", "gh"}[i%4])
	}
	write(t, filepath.Join(dir, "images.bin"), string(pixels))
	write(t, filepath.Join(dir, "examples.jsonl"), rows.String())
	merges := write(t, filepath.Join(dir, "bpe_simple_vocab_16e6.txt"), "#version\na b</w>\nc d</w>\ne f</w>\n")
	path := write(t, filepath.Join(dir, "clip.yaml"), fmt.Sprintf(`
kind: clip
steps: 20
model: {embed_dim: 16, vision_cfg: {layers: 1, width: 16, head_width: 8, patch_size: 8, image_size: 16}, text_cfg: {context_length: 8, vocab_size: 600, width: 16, heads: 2, layers: 1}}
tokenizer: {path: %s}
streams: [{format: drawings, paths: [%s], batch: 8}]
optimizer: {lr: 0.003, beta2: 0.98, eps: 1e-6, weight_decay: 0.2}
`, merges, dir))
	result, err := train(t, path, filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"model.safetensors", "open_clip_config.json", "bpe_simple_vocab_16e6.txt"} {
		if _, err := os.Stat(filepath.Join(dir, "out", checkpointName(20), name)); err != nil {
			t.Error(err)
		}
	}
	if loss := *result.Loss["drawings0"]; !(loss < 2.0) { // ln 8 by chance
		t.Errorf("the loss is %.3f", loss)
	}
}

func TestProbeLearns(t *testing.T) {
	dir := t.TempDir()
	const n, d = 200, 6
	values, labels := make([]float32, n*d), make([]int64, n)
	for i := range n {
		for j := range d {
			values[i*d+j] = float32((i*7+j*13)%11)/11 - 0.5
		}
		if values[i*d+2] > 0 {
			labels[i] = 1
		}
	}
	f, err := os.Create(filepath.Join(dir, "features.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	err = weights.Write(f, []weights.Tensor{weights.FromFloat32("features", values, n, d), weights.FromInt64("labels", labels, n)}, nil)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	path := write(t, filepath.Join(dir, "probe.yaml"), fmt.Sprintf(`
kind: probe
steps: 60
streams: [{format: features, paths: [%s], batch: 50}]
optimizer: {lr: 0.1, weight_decay: 0}
`, f.Name()))
	result, err := train(t, path, filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	if loss := *result.Loss["features0"]; loss > 0.4 {
		t.Errorf("the loss is %.3f", loss)
	}
}

func TestAFolderInUseIsRefused(t *testing.T) {
	dir := t.TempDir()
	path := languageConfig(t, dir, 3)
	c, err := ReadConfig(context.Background(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	var second error
	_, err = Run(context.Background(), c, Options{Out: dir + "/out", Device: testDevice, Progress: func(l LogLine) {
		if l.Step == 1 {
			_, second = Run(context.Background(), c, Options{Out: dir + "/out", Device: testDevice})
		}
	}})
	if err != nil || !errors.Is(second, ErrRefused) {
		t.Errorf("first %v, second %v", err, second)
	}
}

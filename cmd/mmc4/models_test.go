package main

// fetch-model, embed and generate as a person runs them: arguments in, exit code and words out.

import (
	"bytes"
	"crypto/sha1"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mmc4/models/lm"
	"mmc4/models/weights"
)

// mmc4 runs the program and gives its exit code, stdout and stderr.
func mmc4(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	dir := t.TempDir()
	out, err1 := os.Create(filepath.Join(dir, "out"))
	errs, err2 := os.Create(filepath.Join(dir, "err"))
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	defer errs.Close()
	code = run(args, out, errs)
	a, err1 := os.ReadFile(out.Name())
	b, err2 := os.ReadFile(errs.Name())
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return code, string(a), string(b)
}

// languageModel makes the files of a GPT-2 with random weights and a tokenizer of bytes.
func languageModel(t *testing.T) map[string][]byte {
	t.Helper()
	marshal := func(v any) []byte {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	files := map[string][]byte{"config.json": marshal(map[string]any{"model_type": "gpt2", "vocab_size": 260, "n_embd": 16, "n_layer": 2, "n_head": 2,
		"n_positions": 64, "bos_token_id": 256, "eos_token_id": 256})}
	vocab, next := map[string]int{}, 256
	for b := range 256 {
		r := rune(b)
		if b < 33 || b > 126 && b < 161 || b == 173 {
			r = rune(next)
			next++
		}
		vocab[string(r)] = b
	}
	files["tokenizer.json"] = marshal(map[string]any{
		"added_tokens":  []any{map[string]any{"id": 256, "content": "<|endoftext|>", "special": true}},
		"model":         map[string]any{"type": "BPE", "vocab": vocab, "merges": []any{}},
		"pre_tokenizer": map[string]any{"type": "ByteLevel", "add_prefix_space": false, "use_regex": true},
		"decoder":       map[string]any{"type": "ByteLevel"},
	})
	c, err := lm.ParseConfig(files["config.json"])
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var tensors []weights.Tensor
	for _, w := range lm.Plan(c) {
		v := make([]float32, w.Len())
		for i := range v {
			v[i] = float32(rng.NormFloat64()) / 3
		}
		tensors = append(tensors, weights.FromFloat32(w.Name, v, w.Shape...))
	}
	var b bytes.Buffer
	if err := weights.Write(&b, tensors, nil); err != nil {
		t.Fatal(err)
	}
	files["model.safetensors"] = b.Bytes()
	return files
}

// hub serves the files as org/name.
func hubOf(t *testing.T, files map[string][]byte) string {
	const commit = "0123456789abcdef0123456789abcdef01234567"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/models/org/name/revision/") {
			var siblings []any
			for name, body := range files {
				id := sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(body)), body...))
				siblings = append(siblings, map[string]any{"rfilename": name, "size": len(body), "blobId": fmt.Sprintf("%x", id)})
			}
			json.NewEncoder(w).Encode(map[string]any{"sha": commit, "siblings": siblings})
			return
		}
		body, ok := files[strings.TrimPrefix(r.URL.Path, "/org/name/resolve/"+commit+"/")]
		if !ok {
			w.WriteHeader(404)
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestFetchModelAndGenerate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "model")
	endpoint := hubOf(t, languageModel(t))
	code, out, errs := mmc4(t, "fetch-model", "hf://org/name", "--out", dir, "--endpoint", endpoint, "--json")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var last struct{ Folder, Commit string }
	if code != 0 || len(lines) != 4 || json.Unmarshal([]byte(lines[3]), &last) != nil || last.Folder != dir || last.Commit == "" {
		t.Fatalf("%d: %s %s", code, out, errs)
	}
	if code, out, _ := mmc4(t, "fetch-model", "hf://org/name", "--out", dir, "--endpoint", endpoint); code != 0 || strings.Count(out, "present") != 3 {
		t.Errorf("again: %d %s", code, out)
	}
	if code, _, errs := mmc4(t, "fetch-model", "hf://org/other", "--out", dir+"2", "--endpoint", endpoint); code != 1 || !strings.Contains(errs, "org/other") {
		t.Errorf("no such model: %d %s", code, errs)
	}
	if code, _, _ := mmc4(t, "fetch-model", "org/name"); code != 2 {
		t.Errorf("no hf://: %d", code)
	}

	if err := os.WriteFile(filepath.Join(dir, "prompt.txt"), []byte("hello\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	generate := func(more ...string) []string {
		return append([]string{"generate", "--model", dir, "--max-new", "12"}, more...)
	}
	code, greedy, errs := mmc4(t, generate("hello")...)
	if code != 0 || strings.TrimSpace(greedy) == "" || !strings.Contains(errs, "tokens after 5") {
		t.Fatalf("%d: %q %s", code, greedy, errs)
	}
	code, out, errs = mmc4(t, generate("hello", "--json")...)
	var r struct {
		Text   string
		Tokens int
	}
	if code != 0 || json.Unmarshal([]byte(out), &r) != nil || r.Text+"\n" != greedy || r.Tokens == 0 {
		t.Errorf("%d: %q, streamed %q, %s", code, out, greedy, errs)
	}
	_, one, _ := mmc4(t, generate("hello", "--temperature", "2", "--seed", "1")...)
	_, same, _ := mmc4(t, generate("hello", "--temperature", "2", "--seed", "1")...)
	_, two, _ := mmc4(t, generate("hello", "--temperature", "2", "--seed", "2")...)
	if one != same || one == two {
		t.Errorf("seed 1: %q and %q; seed 2: %q", one, same, two)
	}
	stdin, err := os.Open(filepath.Join(dir, "prompt.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	saved := os.Stdin
	os.Stdin = stdin
	_, piped, errs := mmc4(t, generate()...)
	os.Stdin = saved
	if piped != greedy {
		t.Errorf("from standard input: %q, as an argument: %q, %s", piped, greedy, errs)
	}
	for _, args := range [][]string{{"--beams", "3", "x"}, {"--dtype", "bf16", "x"}, {"--dtype", "int8", "--top-k", "3", "--top-p", "0.5", "x"}} {
		if code, _, errs := mmc4(t, generate(args...)...); code != 0 {
			t.Errorf("%v: %d %s", args, code, errs)
		}
	}
	if code, _, errs := mmc4(t, generate("--beams", "3", "--top-k", "3", "x")...); code != 2 {
		t.Errorf("beams that draw: %d %s", code, errs)
	}
	if code, _, errs := mmc4(t, generate(strings.Repeat("long ", 20))...); code != 2 || !strings.Contains(errs, "64") {
		t.Errorf("a long prompt: %d %s", code, errs)
	}
	small := strings.Replace(string(languageModel(t)["config.json"]), "260", "200", 1)
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(small), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := mmc4(t, generate("x")...); code != 1 || !strings.Contains(errs, "do not belong together") {
		t.Errorf("another tokenizer: %d %s", code, errs)
	}
}

func TestEmbed(t *testing.T) {
	dir := t.TempDir()
	list := filepath.Join(dir, "captions.txt")
	if err := os.WriteFile(list, []byte("a red circle\na house\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	embed := func(more ...string) []string { return append([]string{"embed", "--clip", "demo", "--json"}, more...) }
	for _, dtype := range []string{"fp32", "bf16", "int8"} {
		code, out, errs := mmc4(t, embed("--text", "--dtype", dtype, "--out", filepath.Join(dir, "c.npy"), list)...)
		var s struct{ Rows, Bad, Dim int }
		if code != 0 || json.Unmarshal([]byte(out), &s) != nil || s.Rows != 2 || s.Dim == 0 {
			t.Errorf("%s: %d %s %s", dtype, code, out, errs)
		}
	}
	photos := filepath.Join(dir, "photos")
	if err := errors.Join(os.Mkdir(photos, 0o755), os.WriteFile(filepath.Join(photos, "x.jpg"), []byte("no picture"), 0o644)); err != nil {
		t.Fatal(err)
	}
	code, out, errs := mmc4(t, embed("--out", filepath.Join(dir, "p.parquet"), photos)...)
	if code != exitPartial || !strings.Contains(out, `"bad":"x.jpg"`) || !strings.Contains(errs, "1 of 1") {
		t.Errorf("a bad picture: %d %s %s", code, out, errs)
	}
	if code, _, errs := mmc4(t, embed("--out", filepath.Join(dir, "p.csv"), photos)...); code != exitUsage {
		t.Errorf("an unknown ending: %d %s", code, errs)
	}
}

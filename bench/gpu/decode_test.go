//go:build cuda && cgo

package gpu

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mmc4/kernels"
	"mmc4/kernels/device"
	"mmc4/models/flamingo"
	"mmc4/models/lm"
)

// TestDecoding continues prompts of a tiny Flamingo on the stub driver: a step that is one CUDA graph, replayed, gives the
// tokens of steps that are built anew. The stub's log of the calls of decoding must be the one in testdata/decoding-DTYPE.txt;
// MMC4_UPDATE=1 writes it anew. tools/cuda/check.sh runs it.
func TestDecoding(t *testing.T) {
	log := os.Getenv("MMC4_STUB_LOG")
	if log == "" {
		t.Skip("MMC4_STUB_LOG is not set: make cuda-check runs this on the stub driver")
	}
	dev, err := device.Open("cuda")
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	if !strings.Contains(dev.Profile(), "stub") {
		t.Skip("not on the stub driver")
	}
	const rows, length, fresh = 2, 6, 12
	for _, c := range []struct {
		name  string
		dtype kernels.DType
	}{{"fp32", kernels.F32}, {"bf16", kernels.BF16}} {
		t.Run(c.name, func(t *testing.T) {
			config, err := flamingo.ParseConfig([]byte(shapes["tiny"]))
			if err != nil {
				t.Fatal(err)
			}
			vision, text, added, err := flamingoFiles(t.TempDir(), config, 1)
			if err != nil {
				t.Fatal(err)
			}
			f := &flamingoFilesOf{config: config, vision: vision, text: text, added: added}
			s := &speedRun{run: &run{ctx: context.Background()}, dev: dev}
			m, q, files, err := f.open(s, flamingo.Options{DType: c.dtype})
			if err != nil {
				t.Fatal(err)
			}
			defer closeAll(files)
			pass := kernels.NewPass(dev, q, kernels.NewArena(dev, 0), kernels.PassOptions{DType: c.dtype})
			b := f.batchOf(load{rows: rows, tokens: length, slots: 1, used: 1}, 3)
			side := config.Vision.ImageSize
			pixels := kernels.DecodeFloats(kernels.F32, f.pixelsOf(b))
			prompt := lm.Prompt{IDs: b.IDs, Rows: rows, Mask: slices.Clone(b.Mask)}
			prompt.Mask[length] = 0 // of the second row
			generate := func(o flamingo.Decoding) [][]int32 {
				pass.Reset()
				media := m.See(pass, pass.FromFloat32(pixels, rows, 3, side, side), 1, rows, []int32{0, 1})
				out, err := m.Generate(context.Background(), pass, prompt, media, o)
				if err != nil {
					t.Fatal(err)
				}
				var tokens [][]int32
				for _, row := range out {
					tokens = append(tokens, row.Tokens)
				}
				return tokens
			}
			o := flamingo.Decoding{Decoding: lm.Decoding{MaxNew: fresh, EOS: -1}}
			generate(o) // takes memory, plans products
			mark(t, log, "decoding "+c.name, 0)
			got := generate(o)
			mark(t, log, "decoding "+c.name, 1)
			o.Upstream = true // looks at the tokens of every step, which is therefore built anew; no marker is among them
			want := generate(o)
			if !slices.EqualFunc(got, want, slices.Equal) {
				t.Errorf("a replayed step gives %v, one that is built %v", got, want)
			}
			if slices.Contains(slices.Concat(want...), int32(config.Media)) {
				t.Fatal("choose another seed: a marker was generated")
			}
			compareDecoding(t, log, c.name, fresh)
		})
	}
}

// decodingHeader begins the files of calls.
const decodingHeader = `# The calls of decoding 12 tokens, each with how often it comes: of the prompt, of the first step, which is recorded, and of
# 10 more, each one graph and a copy of its tokens to pinned memory.
`

// compareDecoding looks at the calls between the marks of a name: a graph a token after the second, of all of a step.
func compareDecoding(t *testing.T, log, name string, fresh int) {
	t.Helper()
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "step decoding "+name+" 0\n")
	inside, _, found := strings.Cut(rest, "step decoding "+name+" 1\n")
	if !found {
		t.Fatal("the log has no marks")
	}
	counts := map[string]int{}
	for line := range strings.Lines(inside) {
		counts[strings.TrimSpace(line)]++
	}
	steps := 0
	for call, n := range counts {
		if strings.HasPrefix(call, "launch graph ") && n == fresh-2 {
			steps++
		}
	}
	if steps != 1 {
		t.Errorf("%d graphs came %d times, want one: the step", steps, fresh-2)
	}
	path, now := filepath.Join("testdata", "decoding-"+name+".txt"), decodingHeader+lines(counts)
	if os.Getenv("MMC4_UPDATE") != "" {
		if err := os.WriteFile(path, []byte(now), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || string(want) != now {
		t.Errorf("the calls of decoding are not those of %s (%v); if that is meant, run with MMC4_UPDATE=1. Now:\n%s", path, err, now)
	}
}

package train

// Checkpoints: DIR/checkpoint-NNNNNNN/ with model.safetensors, optimizer.safetensors and state.json, which holds the hashes of
// the others and is written last: a checkpoint without it, or with files that do not match it, is none. Model files are also
// what `mmc4 eval` and later runs read.

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"mmc4/internal/storage"
	"mmc4/kernels"
	"mmc4/models/lm/params"
	"mmc4/models/weights"
	"mmc4/train/data"
)

// ErrRefused is in the chain of errors of a checkpoint that another config wrote.
var ErrRefused = errors.New("refused")

// State is state.json.
type State struct {
	Step      int                        `json:"step"`    // steps done, skipped ones included
	Updates   int                        `json:"updates"` // of the optimizer
	Seed      uint64                     `json:"seed"`    // all chances follow from it and the positions
	Positions map[string]data.Position   `json:"positions"`
	Profile   string                     `json:"profile"` // of the device
	Config    map[string]json.RawMessage `json:"config"`
	Files     map[string]fileHash        `json:"files"`
	Best      *Best                      `json:"best,omitempty"`
}

// Best is the checkpoint with the lowest validation loss so far, the mean over the validation streams.
type Best struct {
	Step int     `json:"step"`
	Loss float64 `json:"loss"`
}

type fileHash struct {
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
}

const stateName = "state.json"

func checkpointName(step int) string { return fmt.Sprintf("checkpoint-%07d", step) }

// hashed counts and hashes what is written.
type hashed struct {
	storage.Writer
	hash io.Writer
	size int64
}

func (h *hashed) Write(b []byte) (int, error) {
	n, err := h.Writer.Write(b)
	h.hash.Write(b[:n])
	h.size += int64(n)
	return n, err
}

// save writes one file of a checkpoint.
func save(ctx context.Context, store storage.Store, name string, write func(io.Writer) error) (fileHash, error) {
	w, err := store.Create(ctx, name, storage.CreateOptions{})
	if err != nil {
		return fileHash{}, err
	}
	defer w.Abort()
	sum := sha256.New()
	h := &hashed{Writer: w, hash: sum}
	if err := write(h); err != nil {
		return fileHash{}, err
	}
	return fileHash{hex.EncodeToString(sum.Sum(nil)), h.size}, w.Commit(ctx)
}

// saveCheckpoint writes everything that later steps depend on.
func (s *workplace) saveCheckpoint(ctx context.Context, store storage.Store, step int, positions map[string]data.Position, best *Best) error {
	dir := checkpointName(step)
	if err := store.Remove(ctx, dir+"/"+stateName); err != nil {
		return err
	}
	state := State{Step: step, Updates: s.opt.Step, Seed: s.config.Seed, Positions: positions, Profile: s.dev.Profile(), Config: s.config.canonical(), Files: map[string]fileHash{}, Best: best}
	files := map[string]func(io.Writer) error{"model.safetensors": s.writeModel, "optimizer.safetensors": s.writeMoments}
	for name, text := range s.sideFiles() {
		files[name] = func(w io.Writer) error { _, err := w.Write(text); return err }
	}
	for name, write := range files {
		sum, err := save(ctx, store, dir+"/"+name, write)
		if err != nil {
			return fmt.Errorf("checkpoint %s: %w", store.Location(dir), err)
		}
		state.Files[name] = sum
	}
	text, err := json.MarshalIndent(state, "", " ")
	if err == nil {
		err = storage.WriteFile(ctx, store, dir+"/"+stateName, append(text, '\n'))
	}
	return describe(err, "checkpoint "+store.Location(dir))
}

// sideFiles make a checkpoint a model folder that others can open: the shape and the tokenizer.
func (s *workplace) sideFiles() map[string][]byte {
	files := map[string][]byte{}
	if s.config.Kind == KindProbe {
		return files
	}
	name := "config.json"
	if s.config.Kind == KindCLIP {
		name = "open_clip_config.json"
	}
	files[name] = s.shapes.text
	if s.config.Kind == KindLM {
		files[name] = withEnd(s.shapes.text, s.read.tokens)
	}
	from := s.config.Tokenizer.Path
	names := []string{filepath.Base(from)}
	dir := filepath.Dir(from)
	if info, err := os.Stat(from); err == nil && info.IsDir() {
		dir, names = from, []string{"tokenizer.json", "tokenizer.model", "vocab.json", "merges.txt", "bpe_simple_vocab_16e6.txt", "bpe_simple_vocab_16e6.txt.gz"}
	}
	for _, name := range names {
		if text, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
			files[name] = text
		}
	}
	return files
}

// withEnd is a language model's shape that names the end token it was taught with. A shape that names none would be read with that of the
// class's published model, of another vocabulary.
func withEnd(shape []byte, tokens *data.Tokens) []byte {
	var fields map[string]json.RawMessage
	if json.Unmarshal(shape, &fields) != nil {
		return shape
	}
	end := json.RawMessage("null")
	if tokens.EOSText != "" {
		end = strconv.AppendInt(nil, int64(tokens.EOS), 10)
	}
	for name, value := range map[string]json.RawMessage{"eos_token_id": end, "bos_token_id": json.RawMessage("null")} {
		if _, named := fields[name]; !named {
			fields[name] = value
		}
	}
	text, err := json.Marshal(fields)
	if err != nil {
		return shape
	}
	return text
}

// writeExport writes the model with adapters merged into it.
func (s *workplace) writeExport(w io.Writer) error {
	meta := map[string]string{"format": "pt"}
	switch t := s.task.(type) {
	case *Flamingo:
		return t.Model.Export(s.pass, w, meta)
	case *Language:
		return t.export(s.pass, w, s.source, meta)
	}
	return s.writeModel(w)
}

func (s *workplace) writeModel(w io.Writer) error {
	if f, ok := s.task.(*Flamingo); ok {
		return f.Model.Save(s.pass, w, map[string]string{"format": "pt"})
	}
	var tensors []weights.Tensor
	for _, g := range s.task.Groups() {
		for _, one := range g.Weights {
			t, err := one.Tensor(s.pass, "")
			if err != nil {
				return err
			}
			tensors = append(tensors, t)
		}
	}
	return weights.Write(w, tensors, map[string]string{"format": "pt"})
}

// writeMoments writes the optimizer's state, in the parameters' own layout.
func (s *workplace) writeMoments(w io.Writer) error {
	var tensors []weights.Tensor
	for _, g := range s.opt.Groups {
		for _, one := range g.Weights {
			for i, prefix := range momentNames {
				values, err := s.pass.Float32(s.opt.moments[one.Param][i])
				if err != nil {
					return err
				}
				tensors = append(tensors, weights.FromFloat32(prefix+one.Name, values, one.Param.Value.Shape()...))
			}
		}
	}
	return weights.Write(w, tensors, nil)
}

var momentNames = [2]string{"exp_avg.", "exp_avg_sq."}

// checkpoints lists the steps of finished checkpoints, oldest first.
func checkpoints(ctx context.Context, store storage.Store) ([]int, error) {
	var steps []int
	for info, err := range store.List(ctx, "checkpoint-") {
		if err != nil {
			return nil, err
		}
		dir, name := path.Split(info.Name)
		var step int
		if _, err := fmt.Sscanf(dir, "checkpoint-%d/", &step); err == nil && name == stateName && dir == checkpointName(step)+"/" {
			steps = append(steps, step)
		}
	}
	slices.Sort(steps)
	return steps, nil
}

// prune removes all but the newest checkpoints and the best, their state first.
func prune(ctx context.Context, store storage.Store, keep int, best *Best) error {
	steps, err := checkpoints(ctx, store)
	if err != nil {
		return err
	}
	for _, step := range steps[:max(len(steps)-keep, 0)] {
		if best != nil && step == best.Step {
			continue
		}
		dir := checkpointName(step)
		if err := store.Remove(ctx, dir+"/"+stateName); err != nil {
			return err
		}
		for info, err := range store.List(ctx, dir+"/") {
			if err == nil {
				err = store.Remove(ctx, info.Name)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// loadState reads and checks state.json and the hashes of the files it names.
func loadState(ctx context.Context, store storage.Store, dir string) (*State, map[string][]byte, error) {
	text, err := storage.ReadFile(ctx, store, join(dir, stateName))
	if err != nil {
		return nil, nil, err
	}
	var state State
	if err := json.Unmarshal(text, &state); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", store.Location(join(dir, stateName)), err)
	}
	files := map[string][]byte{}
	for name, want := range state.Files {
		content, err := storage.ReadFile(ctx, store, join(dir, name))
		if err != nil {
			return nil, nil, err
		}
		if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != want.SHA256 {
			return nil, nil, fmt.Errorf("%s: its SHA-256 is not the one that %s names: the checkpoint is damaged", store.Location(join(dir, name)), stateName)
		}
		files[name] = content
	}
	return &state, files, nil
}

func join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}

// compare refuses a checkpoint of another config, and names what differs.
func (st *State) compare(c *Config) error {
	own := c.canonical()
	var differ []string
	for key, value := range own {
		if compact(st.Config[key]) != compact(value) {
			differ = append(differ, key)
		}
	}
	for key := range st.Config {
		if _, ok := own[key]; !ok {
			differ = append(differ, key)
		}
	}
	slices.Sort(differ)
	if differ = slices.Compact(differ); len(differ) > 0 {
		return fmt.Errorf("%w: the checkpoint of step %d was made with another %s; go on with that config, or begin anew in another folder (weights.start takes over weights alone)", ErrRefused, st.Step, strings.Join(differ, ", "))
	}
	return nil
}

func compact(text json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, text) != nil {
		return string(text)
	}
	return b.String()
}

// restore puts a checkpoint's weights and moments onto the device.
func (s *workplace) restore(st *State, files map[string][]byte) error {
	open := func(name string) (*weights.File, error) {
		return weights.OpenReaderAt(bytes.NewReader(files[name]), int64(len(files[name])), name)
	}
	model, err := open("model.safetensors")
	if err != nil {
		return err
	}
	defer model.Close()
	moments, err := open("optimizer.safetensors")
	if err != nil {
		return err
	}
	defer moments.Close()
	queue := s.pass.Queue()
	for _, g := range s.opt.Groups {
		for _, w := range g.Weights {
			values, err := readWeight(model, w)
			if err != nil {
				return err
			}
			queue.Write(w.Param.Value, kernels.EncodeFloats(kernels.F32, values))
			if !w.Param.Compute.None() {
				queue.Do(&kernels.Copy{Src: w.Param.Value, Dst: w.Param.Compute})
			}
			for i, prefix := range momentNames {
				t, err := moments.Want(prefix+w.Name, w.Param.Value.Shape()...)
				if err != nil {
					return err
				}
				values, err := t.Float32()
				if err != nil {
					return err
				}
				queue.Write(s.opt.moments[w.Param][i], kernels.EncodeFloats(kernels.F32, values))
			}
		}
	}
	s.task.Updated(queue)
	s.opt.Step = st.Updates
	return queue.Wait()
}

func readWeight(file *weights.File, w *params.Weight) ([]float32, error) {
	t, err := file.Want(w.Name, w.Shape...)
	if err != nil {
		return nil, err
	}
	values, err := t.Float32()
	switch {
	case err != nil:
		return nil, err
	case w.Rows != nil:
		var rows []float32
		for _, id := range w.Rows {
			rows = append(rows, values[id*w.Shape[1]:(id+1)*w.Shape[1]]...)
		}
		return rows, nil
	case w.Conv1D:
		return params.Turn(values, w.Shape[0], w.Shape[1]), nil
	}
	return values, nil
}

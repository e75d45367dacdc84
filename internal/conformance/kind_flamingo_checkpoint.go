package conformance

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"strconv"

	"mmc4/kernels"
	"mmc4/kernels/device"
	"mmc4/models/flamingo"
	"mmc4/models/weights"
)

func init() { register("flamingo.checkpoint", checkCheckpoint) }

// storedTensor is a tensor as expected.json describes it.
type storedTensor struct {
	Shape  []int  `json:"shape"`
	DType  string `json:"dtype,omitempty"`
	SHA256 string `json:"sha256"`
}

type storedMoments struct {
	Step   float64      `json:"step"`
	First  storedTensor `json:"exp_avg"`
	Second storedTensor `json:"exp_avg_sq"`
}

type storedCheckpoint struct {
	Stored    map[string]storedTensor
	Loaded    map[string]storedTensor
	Epoch     *int
	Optimizer *struct {
		Groups []map[string]any         `json:"param_groups"`
		State  map[string]storedMoments `json:"state"`
	}
	Schedule map[string]any `json:"lr_scheduler"`
}

// checkCheckpoint reads every file of a case: names, shapes, types, bytes, the trainer's state, and the weights of a model
// that was made from it.
func checkCheckpoint(ctx context.Context, env *Env, c *Case, r *Report) error {
	var in struct{ Config json.RawMessage }
	if err := c.Decode(&in); err != nil {
		return err
	}
	config, err := flamingo.ParseConfig(in.Config)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(c.Path("expected.json"))
	if err != nil {
		return err
	}
	var files map[string]storedCheckpoint
	if err := json.Unmarshal(text, &files); err != nil {
		return err
	}
	dev, err := device.Open(env.Device)
	if err != nil {
		return err
	}
	defer dev.Close()
	for name, want := range files {
		if err := checkFile(ctx, dev, c.Path(name), name, config, want, r); err != nil {
			return err
		}
	}
	return nil
}

func checkFile(ctx context.Context, dev kernels.Device, path, label string, config flamingo.Config, want storedCheckpoint, r *Report) error {
	checkpoint, err := flamingo.OpenCheckpoint(ctx, path)
	if err != nil {
		return err
	}
	defer checkpoint.File.Close()
	stored, loaded := map[string]storedTensor{}, map[string]storedTensor{}
	for bare, name := range checkpoint.Tensors {
		t, err := checkpoint.File.Tensor(name)
		if err != nil {
			return err
		}
		stored[name] = describe(t, true)
		loaded[bare] = stored[name]
	}
	if want.Stored != nil {
		r.Equal(label+": stored", stored, want.Stored)
	}
	r.Equal(label+": loaded", loaded, want.Loaded)
	if want.Epoch != nil {
		r.Equal(label+": epoch", checkpoint.Epoch, *want.Epoch)
	}
	if want.Optimizer != nil {
		var groups []map[string]any
		for _, g := range checkpoint.Optimizer.Groups {
			groups = append(groups, plain(g.Settings).(map[string]any))
		}
		r.Equal(label+": parameter groups", groups, want.Optimizer.Groups)
		state := map[string]storedMoments{}
		for index, m := range checkpoint.Optimizer.State {
			first, err := m.First.Tensor()
			if err != nil {
				return err
			}
			second, err := m.Second.Tensor()
			if err != nil {
				return err
			}
			state[strconv.Itoa(index)] = storedMoments{m.Step, describe(first, false), describe(second, false)}
		}
		r.Equal(label+": optimizer state", state, want.Optimizer.State)
	}
	if want.Schedule != nil {
		r.Equal(label+": schedule", plain(checkpoint.Schedule), any(want.Schedule))
	}
	return checkLoaded(dev, checkpoint, label, config, want, r)
}

// checkLoaded makes a model with the checkpoint's weights over a random language model.
func checkLoaded(dev kernels.Device, checkpoint *flamingo.Checkpoint, label string, config flamingo.Config, want storedCheckpoint, r *Report) error {
	queue, err := dev.NewQueue()
	if err != nil {
		return err
	}
	model, err := flamingo.New(dev, queue, config, flamingo.Sources{Flamingo: checkpoint.File}, flamingo.Options{Train: true})
	if err != nil {
		return err
	}
	pass := kernels.NewPass(dev, queue, kernels.NewArena(dev, 0), kernels.PassOptions{})
	for _, w := range model.Trained() {
		t, err := w.Tensor(pass, "")
		if err != nil {
			return err
		}
		r.Equal(label+": "+w.Name, describe(t, true), want.Loaded[w.Name])
	}
	r.Equal(label+": tensors that no model reads", checkpoint.Unused(model), []string(nil))
	return nil
}

func describe(t weights.Tensor, dtype bool) storedTensor {
	sum := sha256.Sum256(t.Data)
	s := storedTensor{Shape: t.Shape, SHA256: hex.EncodeToString(sum[:])}
	if s.Shape == nil {
		s.Shape = []int{}
	}
	if dtype {
		s.DType = map[weights.DType]string{weights.F32: "float32", weights.F16: "float16", weights.BF16: "bfloat16", weights.I64: "int64", weights.Boolean: "bool"}[t.DType]
	}
	return s
}

// plain gives the values of a pickle as encoding/json reads them.
func plain(v any) any {
	switch v := v.(type) {
	case *weights.Dict:
		m := map[string]any{}
		for i, key := range v.Keys {
			if name, ok := key.(string); ok {
				m[name] = plain(v.Values[i])
			}
		}
		return m
	case *weights.List:
		return plainList(v.Items)
	case weights.Tuple:
		return plainList(v)
	case int64:
		return float64(v)
	}
	return v
}

func plainList(items []any) []any {
	list := []any{}
	for _, item := range items {
		list = append(list, plain(item))
	}
	return list
}

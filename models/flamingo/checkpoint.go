package flamingo

// Checkpoints: what training changed, without the frozen backbones. Reads open_flamingo's .pt files (published ones and
// those of its trainer, with optimizer) and this program's safetensors; writes safetensors under open_flamingo's names.

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"mmc4/kernels"
	"mmc4/models/lm/params"
	"mmc4/models/weights"
)

// Checkpoint is an open file of trained weights.
type Checkpoint struct {
	File *weights.File
	// Tensors maps the names of the model to those of the file ("module." removed).
	Tensors map[string]string
	// Epoch is the last finished one of a training checkpoint, else -1.
	Epoch int
	// Optimizer and Schedule are the states of a training checkpoint, or nil.
	Optimizer *Optimizer
	Schedule  *weights.Dict
}

// Optimizer is AdamW's state as PyTorch stores it.
type Optimizer struct {
	Groups []Group
	State  map[int]Moments // by parameter index
}

// Group is a parameter group.
type Group struct {
	Params            []int
	LR, InitialLR     float64
	Betas             [2]float64
	Eps, Decay        float64
	AMSGrad, Maximize bool
	Settings          *weights.Dict // all of it, as stored
}

// Moments are those of one parameter.
type Moments struct {
	Step          float64
	First, Second *weights.Ref
}

// OpenCheckpoint opens a file of trained weights. Close its File when the model that reads it is no longer used.
func OpenCheckpoint(ctx context.Context, path string) (*Checkpoint, error) {
	file, err := weights.Open(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("flamingo checkpoint: %w", err)
	}
	c := &Checkpoint{File: file, Tensors: map[string]string{}, Epoch: -1}
	for _, name := range file.Names() {
		bare := strings.ReplaceAll(name, "module.", "")
		if other, twice := c.Tensors[bare]; twice {
			file.Close()
			return nil, fmt.Errorf("flamingo checkpoint: %s: %q and %q are the same weight", path, other, name)
		}
		c.Tensors[bare] = name
	}
	if err := c.readTraining(); err != nil {
		file.Close()
		return nil, fmt.Errorf("flamingo checkpoint: %s: %w", path, err)
	}
	return c, nil
}

// readTraining reads what a trainer stores besides the weights.
func (c *Checkpoint) readTraining() error {
	root, ok := c.File.Value().(*weights.Dict)
	if !ok || root.Get("model_state_dict") == nil {
		return nil
	}
	if epoch, ok := root.Get("epoch").(int64); ok {
		c.Epoch = int(epoch)
	}
	c.Schedule, _ = root.Get("lr_scheduler_state_dict").(*weights.Dict)
	state, ok := root.Get("optimizer_state_dict").(*weights.Dict)
	if !ok {
		return nil
	}
	c.Optimizer = &Optimizer{State: map[int]Moments{}}
	groups, _ := state.Get("param_groups").(*weights.List)
	if groups == nil {
		return fmt.Errorf("the optimizer has no param_groups")
	}
	for i, item := range groups.Items {
		g, err := readGroup(item)
		if err != nil {
			return fmt.Errorf("parameter group %d: %w", i, err)
		}
		c.Optimizer.Groups = append(c.Optimizer.Groups, g)
	}
	moments, _ := state.Get("state").(*weights.Dict)
	if moments == nil {
		return fmt.Errorf("the optimizer has no state")
	}
	for i, key := range moments.Keys {
		index, ok := key.(int64)
		one, isDict := moments.Values[i].(*weights.Dict)
		if !ok || !isDict {
			return fmt.Errorf("the optimizer's state has a key of %T, which is no parameter index", key)
		}
		m, err := readMoments(one)
		if err != nil {
			return fmt.Errorf("the optimizer's state of parameter %d: %w", index, err)
		}
		c.Optimizer.State[int(index)] = m
	}
	return nil
}

func readGroup(item any) (Group, error) {
	d, ok := item.(*weights.Dict)
	if !ok {
		return Group{}, fmt.Errorf("it is no dictionary")
	}
	g := Group{LR: number(d.Get("lr")), InitialLR: number(d.Get("initial_lr")), Eps: number(d.Get("eps")), Decay: number(d.Get("weight_decay")), Settings: d}
	g.AMSGrad, _ = d.Get("amsgrad").(bool)
	g.Maximize, _ = d.Get("maximize").(bool)
	if betas, ok := d.Get("betas").(weights.Tuple); ok && len(betas) == 2 {
		g.Betas = [2]float64{number(betas[0]), number(betas[1])}
	}
	list, _ := d.Get("params").(*weights.List)
	if list == nil {
		return Group{}, fmt.Errorf("it lists no params")
	}
	for _, item := range list.Items {
		index, ok := item.(int64)
		if !ok || index < 0 {
			return Group{}, fmt.Errorf("a %T or a negative number is no parameter index", item)
		}
		g.Params = append(g.Params, int(index))
	}
	return g, nil
}

func readMoments(d *weights.Dict) (Moments, error) {
	var m Moments
	var ok1, ok2 bool
	m.First, ok1 = d.Get("exp_avg").(*weights.Ref)
	m.Second, ok2 = d.Get("exp_avg_sq").(*weights.Ref)
	if !ok1 || !ok2 {
		return m, fmt.Errorf("exp_avg or exp_avg_sq is missing: not AdamW's")
	}
	step, ok := d.Get("step").(*weights.Ref)
	if !ok {
		m.Step = number(d.Get("step"))
		return m, nil
	}
	t, err := step.Tensor()
	if err != nil {
		return m, err
	}
	values, err := t.Float32()
	if err != nil || len(values) != 1 {
		return m, fmt.Errorf("its step is no number")
	}
	m.Step = float64(values[0])
	return m, nil
}

func number(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case int64:
		return float64(v)
	}
	return 0
}

// Unused lists the tensors of a checkpoint that a model does not read, of those that matter: duplicates under other names (tied heads,
// open_flamingo 1.x's second list of blocks), frozen positions and buffers are left out.
func (c *Checkpoint) Unused(m *Model) []string {
	known := map[string]bool{}
	for _, w := range m.Trained() {
		known[w.Name] = true
	}
	for _, w := range m.LM.Weights {
		known["lang_encoder."+w.Name] = true
	}
	var rest []string
	for _, name := range c.File.Names() {
		bare := strings.ReplaceAll(name, "module.", "")
		duplicate := bare == "lang_encoder."+m.Config.LM.HeadName() || strings.Contains(bare, "gated_cross_attn_layers.") || strings.Contains(bare, "old_decoder_blocks.")
		buffer := strings.HasSuffix(bare, "attention.bias") || strings.HasSuffix(bare, "masked_bias") || strings.HasSuffix(bare, "inv_freq")
		if !known[bare] && !duplicate && !buffer {
			rest = append(rest, name)
		}
	}
	return rest
}

// Save writes the trained weights as safetensors, under the names of open_flamingo's checkpoints. An output head to
// which rows were added is written too: open_flamingo leaves LLaMA's out, so that they are drawn anew at every load.
func (m *Model) Save(p *kernels.Pass, w io.Writer, metadata map[string]string) error {
	return m.write(p, w, metadata, m.Saved(), nil)
}

// Export is Save without adapters: they are added to the matrices of the language model, which stand in the file. Whoever reads it
// beside the language model needs to know nothing of LoRA.
func (m *Model) Export(p *kernels.Pass, w io.Writer, metadata map[string]string) error {
	merged, err := m.LM.Merged(p, m.source)
	if err != nil {
		return fmt.Errorf("flamingo export: %w", err)
	}
	for i := range merged {
		merged[i].Name = m.Config.textName() + merged[i].Name
	}
	saved := m.Saved()
	return m.write(p, w, metadata, slices.DeleteFunc(saved, func(w *params.Weight) bool { return slices.Contains(m.Adapters, w) }), merged)
}

func (m *Model) write(p *kernels.Pass, w io.Writer, metadata map[string]string, ws []*params.Weight, tensors []weights.Tensor) error {
	for _, one := range ws {
		t, err := one.Tensor(p, "")
		if err != nil {
			return fmt.Errorf("flamingo checkpoint: %w", err)
		}
		tensors = append(tensors, t)
	}
	if err := weights.Write(w, tensors, metadata); err != nil {
		return fmt.Errorf("flamingo checkpoint: %w", err)
	}
	return nil
}

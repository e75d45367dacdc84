package conformance

// The tensors of a case, the tolerance of each, and `mmc4 golden --dump`. Reads tensors.safetensors and case.json's
// tolerance fields; writes Env.Dump/<area>_<case>/.

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"mmc4/models/weights"
)

// Tensors opens the case's tensors.safetensors. Whoever calls it closes it.
func (c *Case) Tensors() (*weights.File, error) {
	return weights.Open(context.Background(), c.Path("tensors.safetensors"))
}

// Tolerance gives the limit for the named tensor: its own entry of tolerance_for, else tolerance.
func (c *Case) Tolerance(name string) Tolerance {
	var limits struct {
		Tolerance    Tolerance            `json:"tolerance"`
		ToleranceFor map[string]Tolerance `json:"tolerance_for"`
	}
	// A malformed field leaves the limit 0, which only an exact result passes.
	_ = json.Unmarshal(c.raw, &limits)
	if own, ok := limits.ToleranceFor[name]; ok {
		return own
	}
	return limits.Tolerance
}

// Dump collects what one case computed. Its methods do nothing when `--dump` was not given.
type Dump struct {
	dir     string
	tensors []weights.Tensor
}

// DumpOf starts the dump of a case; Close writes it.
func (e *Env) DumpOf(c *Case) *Dump {
	if e.Dump == "" {
		return &Dump{}
	}
	return &Dump{dir: filepath.Join(e.Dump, strings.ReplaceAll(shortName(c.Dir), "/", "_"))}
}

// Float32 adds a computed tensor under its expected name.
func (d *Dump) Float32(name string, values []float32, shape ...int) {
	if d.dir != "" {
		d.tensors = append(d.tensors, weights.FromFloat32(name, append([]float32(nil), values...), shape...))
	}
}

// Int64 adds computed ids or masks under their expected name.
func (d *Dump) Int64(name string, values []int64, shape ...int) {
	if d.dir != "" {
		d.tensors = append(d.tensors, weights.FromInt64(name, values, shape...))
	}
}

// Close writes tensors.safetensors.
func (d *Dump) Close() error {
	if len(d.tensors) == 0 {
		return nil
	}
	if err := os.MkdirAll(d.dir, 0o755); err != nil {
		return fmt.Errorf("dump: %w", err)
	}
	f, err := os.Create(filepath.Join(d.dir, "tensors.safetensors"))
	if err != nil {
		return fmt.Errorf("dump: %w", err)
	}
	if err := weights.Write(f, d.tensors, nil); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

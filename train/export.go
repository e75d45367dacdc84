package train

// A trained model as a folder that needs no trainer: reads the newest checkpoint of a run, writes model.safetensors with adapters
// merged into it, the shape and the tokenizer.

import (
	"context"
	"fmt"

	"mmc4/internal/storage"
	"mmc4/kernels/device"
)

// Export writes the model of a run (o.Out; o.Resume: of one checkpoint) to a folder or s3://, and gives the step it is of.
func Export(ctx context.Context, c *Config, o Options, to string) (step int, err error) {
	if o.Note == nil {
		o.Note = func(string) {}
	}
	dev, err := device.Open(o.Device)
	if err != nil {
		return 0, ConfigError{err}
	}
	s, err := openModel(ctx, c, dev)
	if err != nil {
		return 0, err
	}
	defer s.close()
	r := &run{workplace: s, o: o, saved: -1}
	if r.store, err = storage.Open(ctx, o.Out, storage.Options{}); err != nil {
		return 0, ConfigError{err}
	}
	if _, err := r.resume(ctx); err != nil {
		return 0, err
	}
	if r.saved < 0 {
		return 0, wrong("%s holds no checkpoint to export", o.Out)
	}
	store, err := storage.Open(ctx, to, storage.Options{})
	if err != nil {
		return 0, ConfigError{err}
	}
	if _, err := save(ctx, store, "model.safetensors", s.writeExport); err != nil {
		return 0, fmt.Errorf("export: %w", err)
	}
	for name, text := range s.sideFiles() {
		if err := storage.WriteFile(ctx, store, name, text); err != nil {
			return 0, fmt.Errorf("export: %w", err)
		}
	}
	return r.step, nil
}

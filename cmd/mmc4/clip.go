package main

import (
	"context"
	"fmt"
	"os"

	"mmc4/internal/demo"
	"mmc4/kernels"
	"mmc4/kernels/device"
	"mmc4/models/clip"
)

// openCLIP opens a CLIP model, demo or a folder, on a device.
func openCLIP(ctx context.Context, name, deviceName string, options clip.Options) (*clip.Model, kernels.Device, error) {
	dev, err := device.Open(deviceName)
	if err != nil {
		return nil, nil, err
	}
	dir := name
	if name == "demo" {
		if dir, err = os.MkdirTemp("", "mmc4-clip-"); err != nil {
			return nil, nil, err
		}
		defer os.RemoveAll(dir) // what is mapped stays
		if err := os.CopyFS(dir, demo.CLIP()); err != nil {
			return nil, nil, fmt.Errorf("unpacking the demo's CLIP: %w", err)
		}
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		dev.Close()
		return nil, nil, usagef("--clip %s: there is no such folder: say demo, or a folder that fetch-model made", name)
	}
	model, err := clip.Load(ctx, dir, dev, options)
	if err != nil {
		dev.Close()
		return nil, nil, err
	}
	return model, dev, nil
}

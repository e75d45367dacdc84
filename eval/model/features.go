package model

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"mmc4/eval/pictures"
	"mmc4/internal/imaging"
	"mmc4/kernels"
	"mmc4/kernels/device"
	"mmc4/models/clip"
	"mmc4/models/weights"
)

// Features computes CLIP's features of pictures and keeps them in a folder, one file for a list of pictures and a model.
type Features struct {
	CLIP, Cache, Device string

	model *clip.Model
	dev   kernels.Device
}

// Close gives the model and the device back. Of may be called again, and opens them anew.
func (f *Features) Close() error {
	if f.model == nil {
		return nil
	}
	err := errors.Join(f.model.Close(), f.dev.Close())
	f.model = nil
	return err
}

// Of gives the unit features of pictures of a place. A picture that cannot be read is an error that names it: leaving
// it out would change which example a feature belongs to.
func (f *Features) Of(ctx context.Context, location string, place pictures.Place, images []string) ([][]float32, error) {
	if f.model == nil {
		dev, err := device.Open(f.Device)
		if err != nil {
			return nil, err
		}
		m, err := clip.Load(ctx, f.CLIP, dev, clip.Options{})
		if err != nil {
			dev.Close()
			return nil, fmt.Errorf("RICES: %w", err)
		}
		f.model, f.dev = m, dev
	}
	print, err := f.model.Fingerprint()
	if err != nil {
		return nil, err
	}
	h := sha256.New()
	io.WriteString(h, print+"\n"+location+"\n")
	for _, name := range images {
		io.WriteString(h, name+"\n")
	}
	path := filepath.Join(f.Cache, hex.EncodeToString(h.Sum(nil)[:12])+".safetensors")
	if kept, err := readFeatures(ctx, path, len(images), f.model.Dim()); err == nil {
		return kept, nil
	}
	var all [][]float32
	for len(all) < len(images) {
		var decoded []*imaging.RGB
		for _, name := range images[len(all):min(len(images), len(all)+64)] {
			data, err := place.Read(ctx, name)
			if err != nil {
				return nil, fmt.Errorf("RICES: %s: %w", name, err)
			}
			picture, err := imaging.Decode(data, imaging.Limits{})
			if err != nil {
				return nil, fmt.Errorf("RICES: %s: %w", name, err)
			}
			decoded = append(decoded, picture.RGB())
		}
		features, err := f.model.EncodeImages(ctx, decoded)
		if err != nil {
			return nil, err
		}
		all = append(all, features...)
	}
	return all, writeFeatures(path, all)
}

func readFeatures(ctx context.Context, path string, n, dim int) ([][]float32, error) {
	file, err := weights.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	flat, err := file.Float32("features")
	if err != nil || len(flat) != n*dim {
		return nil, fmt.Errorf("%s does not hold %d features of %d numbers: %w", path, n, dim, err)
	}
	out := make([][]float32, n)
	for i := range out {
		out[i] = append([]float32(nil), flat[i*dim:(i+1)*dim]...)
	}
	return out, nil
}

func writeFeatures(path string, features [][]float32) error {
	var flat []float32
	for _, f := range features {
		flat = append(flat, f...)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".features-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	err = weights.Write(file, []weights.Tensor{weights.FromFloat32("features", flat, len(features), len(flat)/max(1, len(features)))}, nil)
	if e := file.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	return err
}

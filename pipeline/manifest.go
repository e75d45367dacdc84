package pipeline

// RUN/manifest.json: what a run says of itself. It holds no clock and no host name, so that equal runs say the same.

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"mmc4/internal/storage"
)

// ManifestName is the manifest's name in a run. It is written last: a run that has one is complete.
const ManifestName = "manifest.json"

// Manifest is RUN/manifest.json.
type Manifest struct {
	Format  int     `json:"format"` // 1
	Program Program `json:"program"`

	Inputs   []Input   `json:"inputs"`
	Problems []Problem `json:"problems"` // inputs that could not be read to their end

	Config     json.RawMessage `json:"config"`      // all that a user may choose and that changes what comes out
	ConfigHash string          `json:"config_hash"` // SHA-256 of it

	Profile        NumericProfile   `json:"profile"`
	ProfileChanges []NumericProfile `json:"profile_changes,omitempty"` // earlier ones, under --allow-profile-change

	Off []string `json:"off"` // rules that did not run, and why

	// Counts by name. documents.*, pages.*, candidates.*, images.* and rejects.*; rejects.RULE and
	// images.OUTCOME count rows.
	Counts map[string]int64 `json:"counts"`
	Funnel []FunnelStep     `json:"funnel"`

	Outputs []Output `json:"outputs"` // sorted by name
}

// Program is what wrote a run.
type Program struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Go      string `json:"go"`
}

// Input is a file that was read.
type Input struct {
	Kind     string `json:"kind"` // c4, wat, index, pairs
	Location string `json:"location"`
	Size     int64  `json:"size"`
	ETag     string `json:"etag,omitempty"`
}

// NumericProfile is what the last bits of a run's numbers depend on beside its inputs and its configuration.
type NumericProfile struct {
	Clip     string            `json:"clip"`             // fingerprint of the model: weights, vocabulary, preprocessing
	Device   string            `json:"device,omitempty"` // what computed the features: device kind, instruction set, types
	NSFW     string            `json:"nsfw,omitempty"`   // SHA-256 of the head's file
	Faces    string            `json:"faces,omitempty"`
	Decoders map[string]string `json:"decoders"` // format -> decoder and version
	Arch     string            `json:"arch"`     // amd64, arm64
}

// FunnelStep is one rule, in the order of application, with what reached it and what it left out.
type FunnelStep struct {
	Rule    string `json:"rule"`
	Of      string `json:"of"` // documents, or images: (document, image) pairs
	Reached int64  `json:"reached"`
	Left    int64  `json:"left_out"`
}

// Output is a file of the product.
type Output struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	Rows   int64  `json:"rows"` // 0 for files that are not tables
}

// Put names a file of the product, in place of an older one of its name.
func (m *Manifest) Put(out Output) {
	at, known := slices.BinarySearchFunc(m.Outputs, out.Name, func(o Output, name string) int { return strings.Compare(o.Name, name) })
	if known {
		m.Outputs[at] = out
		return
	}
	m.Outputs = slices.Insert(m.Outputs, at, out)
}

// Write writes the manifest into its run.
func (m *Manifest) Write(ctx context.Context, run storage.Store) error {
	data, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	if err := storage.WriteFile(ctx, run, ManifestName, append(data, '\n')); err != nil {
		return fmt.Errorf("writing the manifest: %w", err)
	}
	return nil
}

// ReadManifest reads a run's manifest. A run without one is not complete.
func ReadManifest(ctx context.Context, run storage.Store) (*Manifest, error) {
	data, err := storage.ReadFile(ctx, run, ManifestName)
	if err != nil {
		return nil, err
	}
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w. If RUN/work is still there, move this file away and run the same `mmc4 build` again", run.Location(ManifestName), err)
	}
	return &m, nil
}

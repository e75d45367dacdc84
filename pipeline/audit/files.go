package audit

// The files of a run against the manifest: presence, size, SHA-256, and nothing beside them.

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"mmc4/internal/storage"
	"mmc4/pipeline"
)

func (c *checker) files(ctx context.Context, workers int) error {
	c.outputs = map[string]pipeline.Output{}
	var tasks []func(context.Context) error
	for _, out := range c.manifest.Outputs {
		if _, twice := c.outputs[out.Name]; twice {
			c.found.file(out.Name, "the manifest names it twice")
		}
		c.outputs[out.Name] = out
		tasks = append(tasks, func(ctx context.Context) error { return c.file(ctx, out) })
	}
	if c.parts == 0 {
		c.found.file(pipeline.ManifestName, "it names no file of docs or pairs")
	}
	for part := range c.parts {
		for _, table := range []string{rejectsTable, imagesTable} {
			if name := pipeline.PartName(table, part); c.outputs[name].Name == "" {
				c.found.file(pipeline.ManifestName, "it does not name %s, though docs or pairs has that part", name)
			}
		}
		if name := pipeline.WebDatasetName(part); c.manifest.OverPairs() && c.settings.PairsInTars() && c.outputs[name].Name == "" {
			c.found.file(pipeline.ManifestName, "it does not name %s, though pairs has that part", name)
		}
	}
	var config bytes.Buffer
	if err := json.Compact(&config, c.manifest.Config); err != nil || hashOf(config.Bytes()) != c.manifest.ConfigHash {
		c.found.file(pipeline.ManifestName, "config_hash is not the SHA-256 of config")
	}
	if want := c.settings.Parts; want != 0 && want != c.parts {
		c.found.file(pipeline.ManifestName, "the run has %d parts, its config says %d", c.parts, want)
	}
	if err := c.extra(ctx); err != nil {
		return err
	}
	return parallel(ctx, workers, tasks)
}

// extra looks for files that the manifest does not name. The work folder may stay, whatever is in it.
func (c *checker) extra(ctx context.Context) error {
	for info, err := range c.run.List(ctx, "") {
		if errors.Is(err, storage.ErrNoList) {
			return nil // over HTTP names cannot be listed
		}
		if err != nil {
			return err
		}
		known := c.outputs[info.Name].Name != "" || info.Name == pipeline.ManifestName
		if !known && !strings.HasPrefix(info.Name, "work/") {
			c.found.file(info.Name, "the manifest does not name this file")
		}
	}
	return nil
}

// file reads one file of the manifest from its start to its end.
func (c *checker) file(ctx context.Context, want pipeline.Output) error {
	o, err := c.run.Open(ctx, want.Name)
	if errors.Is(err, storage.ErrNotExist) {
		c.found.file(want.Name, "the manifest names it, but it is not there")
		return nil
	}
	if err != nil {
		c.found.file(want.Name, "%s", without(want.Name, err))
		return ctx.Err()
	}
	defer o.Close()
	if size := o.Info().Size; size != want.Size {
		c.found.file(want.Name, "it has %d bytes, the manifest says %d", size, want.Size)
		return nil
	}
	h := sha256.New()
	if _, err := io.Copy(h, storage.Reader(ctx, o)); err != nil {
		c.found.file(want.Name, "%s", without(want.Name, err))
		return ctx.Err()
	}
	if sum := hex.EncodeToString(h.Sum(nil)); sum != want.SHA256 {
		c.found.file(want.Name, "its SHA-256 is %s, the manifest says %s", sum, want.SHA256)
	}
	return nil
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// without is an error's text without the file's name before it, which stands beside it already.
func without(name string, err error) string { return strings.TrimPrefix(err.Error(), name+": ") }

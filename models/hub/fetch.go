package hub

// A whole model: what is needed, file by file, and mmc4-model.json. Writes the folder.

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Options say how the hub is reached. The zero value is the public hub without a token.
type Options struct {
	Endpoint  string   // a mirror, "" for DefaultEndpoint
	Token     string   // sent to the endpoint alone, never to a host it redirects to
	Proxy     string   // "": that of the environment (HTTPS_PROXY, HTTP_PROXY, NO_PROXY)
	Include   []string // globs of files besides config, tokenizer and weights
	UserAgent string

	Attempts  int           // failures in a row before giving up; 0 = 6
	FirstWait time.Duration // the longest wait before the second attempt, doubled for each further one; 0 = 1 s
	Stall     time.Duration // how long nothing may come; 0 = 60 s

	Report func(Event) // how far a file is; may be nil
}

// States of a file.
const (
	Loading = "loading"
	Fetched = "fetched"
	Present = "present" // was there already, and its hash is right
)

// Event tells of one file.
type Event struct {
	Name  string
	Have  int64
	Size  int64 // -1: not known
	State string
}

// File is a file that was fetched.
type File struct {
	Name    string `json:"name"`
	Size    int64  `json:"size"`
	SHA256  string `json:"sha256"`
	Checked string `json:"checked"` // against what the hub promises: sha256, git-sha1, size, nothing
}

// Manifest is mmc4-model.json: where the files of a folder came from.
type Manifest struct {
	Format   int      `json:"format"` // 1
	Source   string   `json:"source"` // hf://org/name
	Revision string   `json:"revision"`
	Commit   string   `json:"commit"`
	Endpoint string   `json:"endpoint"`
	Files    []File   `json:"files"` // in the order of fetching
	Notes    []string `json:"notes,omitempty"`
}

// ManifestName is the manifest's name in the folder.
const ManifestName = "mmc4-model.json"

// Fetch brings a model to a folder, which it makes. Files that are there already are kept when their hashes are right;
// a file that is neither the hub's nor from an earlier fetch is never overwritten.
func Fetch(ctx context.Context, ref Ref, dir string, o Options) (Manifest, error) {
	o.Attempts, o.FirstWait, o.Stall = cmp.Or(o.Attempts, 6), cmp.Or(o.FirstWait, time.Second), cmp.Or(o.Stall, time.Minute)
	if o.Report == nil {
		o.Report = func(Event) {}
	}
	c, err := newClient(ref, o)
	if err != nil {
		return Manifest{}, err
	}
	earlier, err := ReadManifest(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return Manifest{}, err
	case earlier.Source != "hf://"+ref.ID:
		return Manifest{}, fmt.Errorf("%s holds %s; choose another folder for hf://%s", dir, earlier.Source, ref.ID)
	}
	commit, files, err := c.list(ctx)
	if err != nil {
		return Manifest{}, err
	}
	names := make([]string, 0, len(files))
	for name := range files {
		if filepath.IsLocal(filepath.FromSlash(name)) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	chosen, err := choose(names, o.Include)
	if err != nil {
		return Manifest{}, fmt.Errorf("hf://%s: %w", ref.ID, err)
	}
	endpoint := *c.base
	endpoint.User = nil
	f := &fetch{client: c, dir: dir, commit: commit, files: files, earlier: earlier,
		m: Manifest{Format: 1, Source: "hf://" + ref.ID, Revision: ref.Revision, Commit: commit, Endpoint: endpoint.String(), Notes: chosen.notes}}
	err = f.all(ctx, chosen)
	return f.m, err
}

// fetch is one call of Fetch.
type fetch struct {
	*client
	dir     string
	commit  string
	files   map[string]entry
	earlier Manifest
	m       Manifest
}

func (f *fetch) all(ctx context.Context, chosen choice) error {
	for _, name := range chosen.small {
		if err := f.one(ctx, name); err != nil {
			return err
		}
	}
	if chosen.weights != "" {
		if err := f.one(ctx, chosen.weights); err != nil {
			return err
		}
	}
	if filepath.Ext(chosen.weights) == ".json" {
		index, err := os.ReadFile(filepath.Join(f.dir, chosen.weights))
		if err != nil {
			return err
		}
		shards, err := shardsOf(index, chosen.weights)
		if err != nil {
			return fmt.Errorf("%s: %w", f.m.Source, err)
		}
		for _, shard := range shards {
			if err := f.one(ctx, shard); err != nil {
				return err
			}
		}
	}
	return f.m.write(f.dir)
}

// one brings one file, unless it is there.
func (f *fetch) one(ctx context.Context, name string) error {
	e, ok := f.files[name]
	if !ok {
		return fmt.Errorf("%s: %w: %s, which the index of the weights names", f.m.Source, ErrNotFound, name)
	}
	if e.hash() == "" || e.size < 0 {
		if err := f.head(ctx, f.commit, &e); err != nil {
			return err
		}
	}
	done, state, err := f.present(e)
	if err != nil {
		return err
	}
	if state == "" {
		if done, err = f.download(ctx, f.dir, f.commit, e); err != nil {
			return err
		}
		state = Fetched
	}
	f.m.Files = append(f.m.Files, done)
	f.o.Report(Event{Name: name, Have: done.Size, Size: done.Size, State: state})
	soFar := f.m
	for _, old := range f.earlier.Files {
		if !slices.ContainsFunc(f.m.Files, func(now File) bool { return now.Name == old.Name }) {
			soFar.Files = append(slices.Clip(soFar.Files), old)
		}
	}
	return soFar.write(f.dir) // so that a fetch that is cut off here knows its own files
}

// present looks for the file in the folder. Another file under its name may be replaced only if an earlier fetch brought it.
func (f *fetch) present(e entry) (File, string, error) {
	path := filepath.Join(f.dir, filepath.FromSlash(e.name))
	s, err := sumFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return File{}, "", nil
	}
	if err != nil {
		return File{}, "", err
	}
	by, err := e.check(s)
	if err == nil && by != "size" && by != "nothing" {
		return File{Name: e.name, Size: s.size, SHA256: s.sha256, Checked: by}, Present, nil
	}
	for _, old := range f.earlier.Files {
		if old.Name == e.name && old.SHA256 == s.sha256 {
			return File{}, "", nil
		}
	}
	return File{}, "", fmt.Errorf("%s is there and is not the file of %s@%s; move it away, or choose another folder", path, f.m.Source, f.m.Revision)
}

// ReadManifest reads the manifest of a folder.
func ReadManifest(dir string) (Manifest, error) {
	var m Manifest
	data, err := os.ReadFile(filepath.Join(dir, ManifestName))
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, fmt.Errorf("%s: %w; remove it to fetch anew", filepath.Join(dir, ManifestName), err)
	}
	return m, nil
}

func (m Manifest) write(dir string) error {
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	final := filepath.Join(dir, ManifestName)
	if err := os.WriteFile(final+".partial", append(data, '\n'), 0o644); err != nil {
		return err
	}
	return place(final+".partial", final)
}

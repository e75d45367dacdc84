package weights

// Opening: what kind of file is it? Reads the first bytes, and index.json files.

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
)

// folderNames are tried in this order when a folder is opened.
var folderNames = []string{
	"model.safetensors", "model.safetensors.index.json", "open_clip_model.safetensors",
	"pytorch_model.bin", "pytorch_model.bin.index.json", "open_clip_pytorch_model.safetensors", "open_clip_pytorch_model.bin",
}

// Open opens safetensors, a PyTorch file, an index.json of shards, or a folder that holds one of them under its usual
// name. The content decides, not the name.
func Open(ctx context.Context, path string) (*File, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	if info.IsDir() {
		for _, name := range folderNames {
			if _, err := os.Stat(filepath.Join(path, name)); err == nil {
				return Open(ctx, filepath.Join(path, name))
			}
		}
		return nil, fmt.Errorf("weights: the folder %s holds none of %v", path, folderNames)
	}
	src, err := openSource(path)
	if err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	f, err := open(ctx, src)
	if err != nil {
		src.close()
		return nil, fmt.Errorf("weights: %w", err)
	}
	return f, nil
}

// OpenReaderAt opens safetensors or a PyTorch file that lies somewhere else: embedded, remote, in memory. Tensors are read
// when they are asked for. The name is for messages. Close does not close r.
func OpenReaderAt(r io.ReaderAt, size int64, name string) (*File, error) {
	f, err := open(context.Background(), &source{name: name, size: size, reader: r})
	if err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	return f, nil
}

func open(ctx context.Context, src *source) (*File, error) {
	head, err := src.bytes(0, min(src.size, 64))
	if err != nil {
		return nil, err
	}
	switch {
	case len(head) == 0:
		return nil, fmt.Errorf("%s is empty", src.name)
	case len(head) > 8 && head[8] == '{' && head[7] == 0:
		return openSafetensors(src)
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return openTorchZip(src)
	case head[0] == 0x80:
		return openTorchLegacy(src)
	case bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte("{")):
		return openIndex(ctx, src)
	case bytes.HasPrefix(head, []byte("version https://git-lfs")):
		return nil, fmt.Errorf("%s is a Git LFS pointer, not the weights: fetch the file itself (git lfs pull)", src.name)
	case bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte("<")):
		return nil, fmt.Errorf("%s looks like a web page, not like weights: the download brought an error page", src.name)
	}
	return nil, fmt.Errorf("%s is neither safetensors nor a PyTorch file nor an index.json", src.name)
}

const maxIndexBytes = 256 << 20

// openIndex opens every shard that an index.json names: {"metadata": {...}, "weight_map": {tensor: file}}.
func openIndex(ctx context.Context, src *source) (*File, error) {
	if src.size > maxIndexBytes {
		return nil, fmt.Errorf("%s: an index of %d bytes is too large", src.name, src.size)
	}
	raw, err := src.bytes(0, src.size)
	if err != nil {
		return nil, err
	}
	var index struct {
		Metadata  map[string]any    `json:"metadata"`
		WeightMap map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(raw, &index); err != nil {
		return nil, fmt.Errorf("%s: %w", src.name, err)
	}
	if len(index.WeightMap) == 0 {
		return nil, fmt.Errorf("%s has no weight_map: it is not an index of weight shards", src.name)
	}
	wanted := map[string][]string{}
	for name, shard := range index.WeightMap {
		if !filepath.IsLocal(shard) {
			return nil, fmt.Errorf("%s: the shard %q of tensor %q lies outside the folder", src.name, shard, name)
		}
		wanted[shard] = append(wanted[shard], name)
	}
	shards := make([]string, 0, len(wanted))
	for shard := range wanted {
		shards = append(shards, shard)
	}
	sort.Strings(shards)
	all := newFile(src.name)
	for key, v := range index.Metadata {
		all.metadata[key] = fmt.Sprint(v)
	}
	for _, shard := range shards {
		if err := all.addShard(ctx, filepath.Join(filepath.Dir(src.name), shard), wanted[shard]); err != nil {
			all.Close()
			return nil, err
		}
	}
	if src.close != nil {
		src.close()
	}
	return all.finish(), nil
}

func (f *File) addShard(ctx context.Context, path string, names []string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	src, err := openSource(path)
	if err != nil {
		return fmt.Errorf("%s: %w", f.Path, err)
	}
	head, err := src.bytes(0, min(src.size, 9))
	if err == nil && len(head) > 0 && head[0] == '{' {
		err = fmt.Errorf("%s: a shard cannot be an index", path)
	}
	var shard *File
	if err == nil {
		shard, err = open(ctx, src)
	}
	if err != nil {
		src.close()
		return err
	}
	f.sources = append(f.sources, shard.sources...)
	for key, v := range shard.metadata {
		if _, ok := f.metadata[key]; !ok {
			f.metadata[key] = v
		}
	}
	for _, name := range names {
		e := shard.entries[name]
		if e == nil {
			return fmt.Errorf("%s puts the tensor %q into %s, which does not have it: the shards are of different versions", f.Path, name, path)
		}
		if err := f.add(e); err != nil {
			return err
		}
	}
	return nil
}

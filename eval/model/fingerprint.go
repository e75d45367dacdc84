package model

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"mmc4/eval"
)

// sampled is how many blocks of a file a fingerprint reads, of sampledBytes each. Training changes all of a file; a whole pass
// over tens of gigabytes would take longer than many evaluations.
const (
	sampled      = 64
	sampledBytes = 64 << 10
)

// Fingerprint names what a model is made of: its files' names, sizes and contents, of large ones a sample. It is for noticing that
// a folder holds another model now.
func Fingerprint(f eval.ModelFiles) (string, error) {
	h := sha256.New()
	for _, root := range []string{f.Dir, f.Config, f.Vision, f.LM, f.Flamingo, f.Tokenizer} {
		if root == "" {
			continue
		}
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			file, err := os.Open(path)
			if err != nil {
				return err
			}
			defer file.Close()
			info, err := file.Stat()
			if err != nil || !info.Mode().IsRegular() {
				return err
			}
			name, _ := filepath.Rel(root, path)
			fmt.Fprintf(h, "%q %d\n", name, info.Size())
			if info.Size() <= sampled*sampledBytes {
				_, err = io.Copy(h, file)
				return err
			}
			for i := range int64(sampled) {
				block := io.NewSectionReader(file, (info.Size()-sampledBytes)*i/(sampled-1), sampledBytes)
				if _, err := io.Copy(h, block); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return "", fmt.Errorf("%w: model: %w", eval.ErrUsage, err)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

package conformance

import (
	"context"
	"math/bits"
	"os"
	"path/filepath"
	"strconv"

	"mmc4/dedup"
	"mmc4/internal/imaging"
)

func init() {
	register("phash", checkPHash)
	register("phash.groups", checkPHashGroups)
}

// otherDecoderBits is the README's allowance for JPEG files when the decoder is not libjpeg-turbo.
const otherDecoderBits = 2

type hashedFile struct {
	File       string
	Hash       *string
	Degenerate bool
}

// checkPHash hashes every picture that the reference could read.
func checkPHash(_ context.Context, _ *Env, c *Case, r *Report) error {
	var file struct {
		Config struct{ Images string }
		Cases  []hashedFile
	}
	if err := c.Decode(&file); err != nil {
		return err
	}
	images, err := c.Root(file.Config.Images)
	if err != nil {
		return err
	}
	return checkHashes(r, images, file.Cases)
}

// checkPHashGroups hashes the pictures, and groups them by the hashes of the reference.
func checkPHashGroups(_ context.Context, _ *Env, c *Case, r *Report) error {
	var file struct {
		Groups map[string][][]string
		Cases  []hashedFile
	}
	if err := c.Decode(&file); err != nil {
		return err
	}
	var named []dedup.Named
	for _, k := range file.Cases {
		if k.Hash == nil {
			continue
		}
		hash, err := strconv.ParseUint(*k.Hash, 16, 64)
		if err != nil {
			return err
		}
		named = append(named, dedup.Named{Name: k.File, Hash: hash})
	}
	for threshold, want := range file.Groups {
		t, err := strconv.Atoi(threshold)
		if err != nil {
			return err
		}
		r.Equal("threshold "+threshold, dedup.Groups(named, t), want)
	}
	return checkHashes(r, c.Dir, file.Cases)
}

func checkHashes(r *Report, folder string, cases []hashedFile) error {
	for _, k := range cases {
		if k.Hash == nil || k.Degenerate {
			continue
		}
		data, err := os.ReadFile(filepath.Join(folder, k.File))
		if err != nil {
			return err
		}
		want, err := strconv.ParseUint(*k.Hash, 16, 64)
		if err != nil {
			return err
		}
		pic, err := imaging.Decode(data, imaging.Limits{})
		if err != nil {
			r.Failf("%s: %v", k.File, err)
			continue
		}
		got, err := dedup.PHash(pic)
		if err != nil {
			r.Failf("%s: %v", k.File, err)
			continue
		}
		r.Inner++
		allowed := 0
		if pic.Format == imaging.JPEG && !turbo() {
			allowed = otherDecoderBits
		}
		if off := bits.OnesCount64(got ^ want); off > allowed {
			r.Failf("%s: got %s, want %s: %d bits differ, %d may", k.File, dedup.HashString(got), *k.Hash, off, allowed)
		}
	}
	return nil
}

// turbo tells whether JPEG files are decoded by libjpeg-turbo here.
func turbo() bool {
	for _, d := range imaging.Decoders() {
		for _, f := range d.Formats {
			if f == imaging.JPEG {
				return d.Path != "" && d.Missing == ""
			}
		}
	}
	return false
}

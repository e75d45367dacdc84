package visual

// What pictures and towers are called. Reads pixels and weights.

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"mmc4/internal/imaging"
	"mmc4/kernels"
	"mmc4/kernels/ref"
	"mmc4/models/clip"
	"mmc4/models/weights"
)

// Key names a picture by what the tower is shown of it.
type Key [sha256.Size]byte

// KeyOf is the SHA-256 of a square's size and pixels.
func KeyOf(m *imaging.RGB) Key {
	h := sha256.New()
	fmt.Fprintf(h, "%d %d\n", m.Width, m.Height)
	h.Write(m.Pix)
	return Key(h.Sum(nil))
}

func (k Key) String() string { return hex.EncodeToString(k[:]) }

// Fingerprint names a tower: equal for equal weights, whatever program's names they have in the file.
func Fingerprint(ctx context.Context, file *weights.File, c clip.VisionConfig, t clip.Preprocess, classToken bool, dtype kernels.DType) (string, error) {
	dev := ref.New()
	defer dev.Close()
	queue, err := dev.NewQueue()
	if err != nil {
		return "", err
	}
	v, err := clip.NewVision(dev, queue, file, c, 0, kernels.F32)
	if err != nil {
		return "", fmt.Errorf("fingerprint of the image tower: %w", err)
	}
	defer v.Free()
	pass := kernels.NewPass(dev, queue, kernels.NewArena(dev, 0), kernels.PassOptions{})
	sorted := slices.Clone(v.Params)
	slices.SortFunc(sorted, func(a, b *kernels.Param) int { return strings.Compare(a.Name, b.Name) })
	h := sha256.New()
	fmt.Fprintf(h, "tower 1 %+v %v %v %v %v %v\n", c, t.Size, t.Mean, t.Std, classToken, dtype)
	for _, p := range sorted {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		values, err := pass.Float32(p.Value)
		if err != nil {
			return "", fmt.Errorf("fingerprint of the image tower: %s: %w", p.Name, err)
		}
		fmt.Fprintf(h, "%q %v\n", p.Name, p.Shape())
		h.Write(kernels.EncodeFloats(kernels.F32, values))
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

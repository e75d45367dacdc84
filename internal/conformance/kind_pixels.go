package conformance

// The pictures themselves: what Probe says, the decoded pixels, resizing, CLIP's transform.

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"mmc4/internal/imaging"
	"mmc4/models/clip"
	"mmc4/models/weights"
)

func init() {
	register("images", checkImages)
	register("pixels.decode", checkPixelsDecode)
	register("pixels.resize", checkPixelsResize)
	register("pixels.clip", checkPixelsCLIP)
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// errInexact says that a picture's pixels depend on a library that this machine lacks.
var errInexact = errors.New("JPEG pixels are exact with libjpeg-turbo only, which is missing here")

func decodeFile(path string) (*imaging.Picture, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if cfg, err := imaging.Probe(data); err == nil && cfg.Format == imaging.JPEG && !turbo() {
		return nil, errInexact
	}
	pic, err := imaging.Decode(data, imaging.Limits{})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return pic, nil
}

// checkImages compares Probe with Pillow's Image.open.
func checkImages(_ context.Context, _ *Env, c *Case, r *Report) error {
	var file struct {
		Cases []struct {
			File, Format, Mode string
			Width, Height      int
		}
	}
	if err := c.Decode(&file); err != nil {
		return err
	}
	for _, k := range file.Cases {
		data, err := os.ReadFile(c.Path(k.File))
		if err != nil {
			return err
		}
		cfg, err := imaging.Probe(data)
		if err != nil {
			r.Failf("%s: %v", k.File, err)
			continue
		}
		format, mode := imaging.Format(k.Format), imaging.Mode(k.Mode)
		r.Equal(k.File, cfg, imaging.Config{
			Format: format, MediaType: format.MediaType(), Width: k.Width, Height: k.Height, Mode: mode,
		})
	}
	return nil
}

func checkPixelsDecode(_ context.Context, _ *Env, c *Case, r *Report) error {
	var file struct {
		Config struct{ Images string }
		Cases  []struct {
			File, Mode, RGB string
			Width, Height   int
			SumRGB          string `json:"sha256_rgb"`
			SumNative       string `json:"sha256_native"`
		}
	}
	if err := c.Decode(&file); err != nil {
		return err
	}
	images, err := c.Root(file.Config.Images)
	if err != nil {
		return err
	}
	skipped := 0
	for _, k := range file.Cases {
		pic, err := decodeFile(filepath.Join(images, k.File))
		if errors.Is(err, errInexact) {
			skipped++
			continue
		}
		if err != nil {
			r.Failf("%v", err)
			continue
		}
		r.Equal(k.File+" size", [2]int{pic.Width, pic.Height}, [2]int{k.Width, k.Height})
		r.Equal(k.File+" mode", string(pic.Mode), k.Mode)
		r.Equal(k.File+" "+k.Mode, sum(pic.Bytes()), k.SumNative)
		r.Equal(k.File+" RGB", sum(pic.RGB().Pix), k.SumRGB)
	}
	if skipped == len(file.Cases) {
		r.Skipf("%v", errInexact)
	}
	return nil
}

func checkPixelsResize(_ context.Context, _ *Env, c *Case, r *Report) error {
	var file struct {
		Cases []struct {
			Decoded, Filter, SHA256 string
			Width, Height           int
			Box                     []float64
		}
	}
	if err := c.Decode(&file); err != nil {
		return err
	}
	filters := map[string]imaging.Filter{}
	for f := imaging.Nearest; f <= imaging.Lanczos; f++ {
		filters[f.String()] = f
	}
	for _, k := range file.Cases {
		pic, err := decodeFile(c.Path(k.Decoded))
		if err != nil {
			return err
		}
		filter, known := filters[k.Filter]
		if !known {
			return fmt.Errorf("unknown filter %q", k.Filter)
		}
		var box *imaging.Rect
		if len(k.Box) == 4 {
			box = &imaging.Rect{Left: k.Box[0], Upper: k.Box[1], Right: k.Box[2], Lower: k.Box[3]}
		}
		label := fmt.Sprintf("%s %s %dx%d %v", filepath.Base(k.Decoded), k.Filter, k.Width, k.Height, k.Box)
		r.Equal(label, sum(imaging.Resize(pic.RGB(), k.Width, k.Height, filter, box).Pix), k.SHA256)
	}
	return nil
}

func checkPixelsCLIP(ctx context.Context, _ *Env, c *Case, r *Report) error {
	var file struct {
		Config struct {
			Images    string
			Mean, Std [3]float32
		}
		Tolerance struct{ Float32 float64 }
		Cases     []struct {
			File, Decoded string
			Size          int
			SumDecoded    string `json:"from_decoded_sha256"`
			SumFile       string `json:"from_file_sha256"`
		}
	}
	if err := c.Decode(&file); err != nil {
		return err
	}
	images, err := c.Root(file.Config.Images)
	if err != nil {
		return err
	}
	normalised, err := weights.Open(ctx, c.Path("normalised.safetensors"))
	if err != nil {
		return err
	}
	defer normalised.Close()
	stored := map[string]bool{}
	for _, name := range normalised.Names() {
		stored[name] = true
	}
	for _, k := range file.Cases {
		t := clip.OpenAIPreprocess(k.Size)
		t.Mean, t.Std = file.Config.Mean, file.Config.Std
		decoded, err := decodeFile(c.Path(k.Decoded))
		if err != nil {
			return err
		}
		label := fmt.Sprintf("%s.%d", k.File, k.Size)
		r.Equal(label+" from decoded", sum(t.Square(decoded.RGB()).Pix), k.SumDecoded)
		if stored[label] {
			want, err := normalised.Float32(label)
			if err != nil {
				return err
			}
			r.Close(label+" normalised", t.Tensor(decoded.RGB()), want, Tolerance{ATol: file.Tolerance.Float32})
		}
		pic, err := decodeFile(filepath.Join(images, k.File))
		if errors.Is(err, errInexact) {
			continue
		}
		if err != nil {
			return err
		}
		r.Equal(label+" from file", sum(t.SquareFirst(pic).Pix), k.SumFile)
	}
	return nil
}

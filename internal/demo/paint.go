package demo

// From the plan to bytes: draws every picture that a host serves.

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"math/bits"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"mmc4/dedup"
	"mmc4/internal/imaging"

	"golang.org/x/image/draw"
)

// apart is how many bits of perceptual hash the pictures of one page differ by: no two of them look like copies.
const apart = 10

// together is how many bits of perceptual hash a picture differs by from its half-size copy at most, before both are encoded.
const together = 1

// paintAll draws and stores all pictures below dir/www; every page is drawn from its own random stream.
func (w *web) paintAll(dir string) error {
	sharedBytes := make([][]byte, len(w.shared))
	for i, pic := range w.shared {
		r := newRandom(w.seed, "paint shared", fmt.Sprint(i))
		data, err := encode(pic.drawing.Render(r, pic.width, pic.height), pic.png)
		if err != nil {
			return err
		}
		sharedBytes[i] = data
	}
	errs := make(chan error, len(w.pages))
	jobs := make(chan int)
	var wait sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for i := range jobs {
				if err := w.paintPage(dir, i, sharedBytes); err != nil {
					errs <- err
				}
			}
		}()
	}
	for i := range w.pages {
		jobs <- i
	}
	close(jobs)
	wait.Wait()
	close(errs)
	return <-errs
}

// paintPage draws the pictures of one page.
func (w *web) paintPage(dir string, n int, shared [][]byte) error {
	p := w.pages[n]
	if p.match == "none" {
		return nil
	}
	images := make([]*image.RGBA, len(p.pictures))
	data := make([][]byte, len(p.pictures))
	var hashes []uint64
	for j, pic := range p.pictures {
		if pic.rule == repeated {
			continue
		}
		var err error
		r := newRandom(w.seed, "paint", fmt.Sprint(n), pic.url)
		switch pic.source {
		case noSource:
			continue
		case drawn, surface:
			images[j], hashes, err = distinct(r, pic, hashes)
		case bannerSource:
			images[j] = banner(r, pic.width, pic.height)
		case tinySource:
			images[j] = abstract(r, pic.width, pic.height)
		case halfCopy:
			images[j] = half(images[pic.of])
		case exactCopy:
			data[j] = data[pic.of]
		case sharedPicture:
			data[j] = shared[pic.of]
		case htmlSource:
			data[j] = []byte("<!doctype html><title>Moved</title><p>This picture has moved.</p>\n")
		case cutSource:
			if data[j], err = encode(abstract(r, pic.width, pic.height), false); err == nil {
				data[j] = data[j][:len(data[j])/2]
			}
		case emptySource:
			data[j] = []byte{}
		}
		if err == nil && data[j] == nil {
			data[j], err = encode(images[j], pic.png)
		}
		if err != nil {
			return fmt.Errorf("drawing %s: %w", pic.url, err)
		}
		served := []string{pic.url}
		if pic.lazy != "" {
			served[0] = pic.lazy
		}
		if pic.double != "" {
			served = append(served, pic.double)
		}
		for _, address := range served {
			if err := store(dir, address, data[j]); err != nil {
				return err
			}
		}
	}
	return nil
}

// distinct draws until the picture's perceptual hash is far from those of the page, and near to that of its half-size copy
// where the page has one; hashes comes back with its own.
func distinct(r random, pic *picture, hashes []uint64) (*image.RGBA, []uint64, error) {
	var best *image.RGBA
	var bestHash uint64
	bestFault := 1000
	for try := 0; try < 60 && bestFault > 0; try++ {
		img := abstractOrDrawn(r, pic)
		hash, err := dedup.PHash(rgb(img).Picture())
		if err != nil {
			return nil, hashes, err
		}
		nearest := 64
		for _, h := range hashes {
			nearest = min(nearest, bits.OnesCount64(h^hash))
		}
		fault := max(0, apart-nearest)
		if pic.halved {
			copied, err := dedup.PHash(rgb(half(img)).Picture())
			if err != nil {
				return nil, hashes, err
			}
			fault += max(0, bits.OnesCount64(copied^hash)-together)
		}
		if fault < bestFault {
			best, bestHash, bestFault = img, hash, fault
		}
	}
	return best, append(hashes, bestHash), nil
}

// half is the picture at half its size.
func half(img *image.RGBA) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, img.Rect.Dx()/2, img.Rect.Dy()/2))
	draw.CatmullRom.Scale(out, out.Rect, img, img.Rect, draw.Src, nil)
	return out
}

func abstractOrDrawn(r random, pic *picture) *image.RGBA {
	if pic.source == surface {
		return abstract(r, pic.width, pic.height)
	}
	return pic.drawing.Render(r, pic.width, pic.height)
}

// banner is a wide surface with shapes along it.
func banner(r random, width, height int) *image.RGBA {
	img := abstract(r, width, height)
	for x := height / 2; x < width-height/2; x += height {
		p := &pen{img: img, cx: float64(x), cy: float64(height) / 2, scale: float64(height) * 0.6}
		kindNamed("star").draw(p, r, Drawing{}, paint(r, pick(r, brightColours)))
	}
	return img
}

// rgb drops the alpha of an opaque picture.
func rgb(img *image.RGBA) *imaging.RGB {
	b := img.Bounds()
	out := imaging.NewRGB(b.Dx(), b.Dy())
	for i := range b.Dx() * b.Dy() {
		copy(out.Pix[3*i:3*i+3], img.Pix[4*i:4*i+3])
	}
	return out
}

func encode(img *image.RGBA, asPNG bool) ([]byte, error) {
	var out bytes.Buffer
	var err error
	if asPNG {
		err = (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&out, img)
	} else {
		err = jpeg.Encode(&out, img, &jpeg.Options{Quality: 90})
	}
	return out.Bytes(), err
}

// store writes what a host serves for a URL.
func store(dir, address string, data []byte) error {
	path, err := servedPath(dir, address)
	if err != nil {
		return err
	}
	return writeFile(path, data)
}

// servedPath is the file that holds the bytes of a URL: dir/www/host/path.
func servedPath(dir, address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "www", u.Host, filepath.FromSlash(u.Path)), nil
}

func writeFile(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o666)
}

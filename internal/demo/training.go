package demo

// What the demo CLIP and the demo Flamingo are trained on: drawings, sentences that show them, and sentences that show nothing.

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"golang.org/x/image/draw"
)

// ClipSide is the side of the square pictures that the demo CLIP sees.
const ClipSide = 64

// trainingRow is a line of examples.jsonl: the picture's sentences, and what they are about. Kind is -1 for a picture of nothing.
type trainingRow struct {
	Kind     int      `json:"kind"`
	Topic    string   `json:"topic"` // the kind's name
	Thing    string   `json:"thing"` // equal for drawings that the same sentences speak of
	Captions []string `json:"captions"`
}

// captionsEach is how many sentences a training picture gets.
const captionsEach = 4

// DrawTraining writes n drawings of a seed as `mmc4 train` reads them (format drawings): images.bin (n x 64 x 64 x 3 bytes, resized as CLIP does),
// examples.jsonl (a line a picture) and plain.txt (a line a sentence that shows nothing).
func DrawTraining(dir string, seed uint64, n int) (err error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("training drawings: %w", err)
	}
	pixels := make([]byte, n*ClipSide*ClipSide*3)
	rows := make([]trainingRow, n)
	var wait sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for i := w; i < n; i += workers {
				rows[i] = trainingExample(seed, i, pixels[i*ClipSide*ClipSide*3:(i+1)*ClipSide*ClipSide*3])
			}
		}()
	}
	wait.Wait()
	if err := os.WriteFile(filepath.Join(dir, "images.bin"), pixels, 0o666); err != nil {
		return fmt.Errorf("training drawings: %w", err)
	}
	examples, err := os.Create(filepath.Join(dir, "examples.jsonl"))
	if err != nil {
		return fmt.Errorf("training drawings: %w", err)
	}
	defer func() { err = errors.Join(err, examples.Close()) }()
	buffered := bufio.NewWriter(examples)
	lines := json.NewEncoder(buffered)
	lines.SetEscapeHTML(false)
	for _, row := range rows {
		if err := lines.Encode(row); err != nil {
			return fmt.Errorf("training drawings: %w", err)
		}
	}
	if err := buffered.Flush(); err != nil {
		return fmt.Errorf("training drawings: %w", err)
	}
	return writePlain(filepath.Join(dir, "plain.txt"), seed, max(1000, n/4))
}

func writePlain(path string, seed uint64, n int) error {
	r := newRandom(seed, "plain")
	var text []byte
	for range n {
		text = append(append(text, topics[r.IntN(len(topics))].tell(r)...), '\n')
	}
	return os.WriteFile(path, text, 0o666)
}

// trainingExample draws example i into pixels.
func trainingExample(seed uint64, i int, pixels []byte) trainingRow {
	r := newRandom(seed, "training", fmt.Sprint(i))
	side := r.between(150, 230)
	w, h := int(side*r.between(1, 1.5)), int(side)
	if r.chance(0.3) {
		w, h = h, w
	}
	if r.chance(0.08) {
		squeeze(abstract(r, w, h), pixels)
		return trainingRow{Kind: -1, Captions: []string{}}
	}
	k := r.IntN(len(kinds))
	d := kinds[k].newDrawing(r)
	squeeze(d.Render(r, w, h), pixels)
	row := trainingRow{Kind: k, Topic: d.Kind, Thing: d.thing()}
	for range captionsEach {
		row.Captions = append(row.Captions, d.show(r))
	}
	return row
}

// squeeze resizes as CLIP does: bicubic to 64 on the short side, then the middle.
func squeeze(img *image.RGBA, pixels []byte) {
	b := img.Bounds()
	short := float64(min(b.Dx(), b.Dy()))
	w, h := int(float64(b.Dx())*ClipSide/short), int(float64(b.Dy())*ClipSide/short)
	small := image.NewRGBA(image.Rect(0, 0, max(w, ClipSide), max(h, ClipSide)))
	draw.CatmullRom.Scale(small, small.Bounds(), img, b, draw.Src, nil)
	x0, y0 := int(math.RoundToEven(float64(small.Rect.Dx()-ClipSide)/2)), int(math.RoundToEven(float64(small.Rect.Dy()-ClipSide)/2))
	for y := range ClipSide {
		for x := range ClipSide {
			copy(pixels[(y*ClipSide+x)*3:], small.Pix[(y+y0)*small.Stride+(x+x0)*4:][:3])
		}
	}
}

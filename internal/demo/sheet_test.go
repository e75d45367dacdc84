package demo

import (
	"image"
	"image/draw"
	"image/png"
	"os"
	"testing"
)

// TestContactSheet draws every kind and, when DEMO_SHEET names a file, stores the sheet for a person to look at.
func TestContactSheet(t *testing.T) {
	const side, across = 150, 12
	rows := (len(kinds)*2 + across - 1) / across
	sheet := image.NewRGBA(image.Rect(0, 0, across*side, rows*side))
	for i := range len(kinds) * 2 {
		r := newRandom(7, "sheet", string(rune('a'+i)))
		d := kinds[i/2].newDrawing(r)
		img := d.Render(r, side-4, side-4)
		if d.Phrase(r) == "" || d.show(r) == "" {
			t.Errorf("%s has no words", d.Kind)
		}
		paste(sheet, img, i%across*side+2, i/across*side+2)
	}
	path := os.Getenv("DEMO_SHEET")
	if path == "" {
		return
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(f, sheet); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// paste puts a picture on another, its upper left corner at (x, y).
func paste(dst *image.RGBA, src image.Image, x, y int) {
	draw.Draw(dst, image.Rect(x, y, x+src.Bounds().Dx(), y+src.Bounds().Dy()), src, src.Bounds().Min, draw.Over)
}

package lesson

// Drawings with sentences, from a folder that the demo wrote.

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"mmc4/internal/imaging"
)

type drawing struct {
	Kind     int      `json:"kind"`
	Captions []string `json:"captions"`
	picture  *imaging.RGB
}

// readDrawings gives the drawings that show something. side 0 leaves the pixels out.
func readDrawings(folder string, side int) ([]drawing, error) {
	f, err := os.Open(filepath.Join(folder, "examples.jsonl"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var pixels []byte
	if side > 0 {
		if pixels, err = os.ReadFile(filepath.Join(folder, "images.bin")); err != nil {
			return nil, err
		}
	}
	var all []drawing
	lines := bufio.NewScanner(f)
	for n := 0; lines.Scan(); n++ {
		var d drawing
		if err := json.Unmarshal(lines.Bytes(), &d); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", f.Name(), n+1, err)
		}
		size := 3 * side * side
		if len(pixels) < (n+1)*size {
			return nil, fmt.Errorf("%s: images.bin has no drawing %d", folder, n)
		}
		d.picture = &imaging.RGB{Width: side, Height: side, Pix: pixels[n*size : (n+1)*size]}
		if len(d.Captions) > 0 {
			all = append(all, d)
		}
	}
	return all, lines.Err()
}

// prose is all sentences of a folder, mixed with those that show nothing.
func prose(folder string, drawings []drawing) (string, error) {
	plain, err := os.ReadFile(filepath.Join(folder, "plain.txt"))
	if err != nil {
		return "", err
	}
	lines := strings.Split(strings.TrimSpace(string(plain)), "\n")
	var text strings.Builder
	k := 0
	for i, d := range drawings {
		for _, c := range d.Captions {
			text.WriteString(c + "\n")
		}
		if i%4 == 0 && len(lines) > 0 {
			text.WriteString(lines[k%len(lines)] + "\n")
			k++
		}
	}
	return text.String(), nil
}

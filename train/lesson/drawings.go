package lesson

// Drawings with sentences, from a folder that the demo wrote.

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mmc4/internal/imaging"
)

type drawing struct {
	Kind     int      `json:"kind"`
	Captions []string `json:"captions"`
	picture  *imaging.RGB
	file     []byte // picture as PNG, once somebody asked for it
}

// readDrawings gives the drawings that show something. All are squares of one size.
func readDrawings(folder string) ([]drawing, error) {
	f, err := os.Open(filepath.Join(folder, "examples.jsonl"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	pixels, err := os.ReadFile(filepath.Join(folder, "images.bin"))
	if err != nil {
		return nil, err
	}
	var all []drawing
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var d drawing
		if err := json.Unmarshal(lines.Bytes(), &d); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", f.Name(), len(all)+1, err)
		}
		all = append(all, d)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	side := int(math.Sqrt(float64(len(pixels) / (3 * max(len(all), 1)))))
	if side == 0 || len(pixels) != len(all)*3*side*side {
		return nil, fmt.Errorf("%s: images.bin has %d bytes, which are not %d square drawings", folder, len(pixels), len(all))
	}
	for i := range all {
		all[i].picture = &imaging.RGB{Width: side, Height: side, Pix: pixels[i*3*side*side : (i+1)*3*side*side]}
	}
	return slices.DeleteFunc(all, func(d drawing) bool { return len(d.Captions) == 0 }), nil
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

package dedup

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"mmc4/internal/imaging"
)

// referenceHash is PHash written down plainly: the whole luma plane, every 7 x 7 sum, the full DCT.
func referenceHash(pix []uint8, w, h, bands int) uint64 {
	luma := func(x, y int) int {
		x, y = min(max(x, 0), w-1), min(max(y, 0), h-1)
		p := pix[(y*w+x)*bands:]
		if bands < 3 {
			return int(p[0])
		}
		y8 := math.Floor(float64(66*int(p[0])+129*int(p[1])+25*int(p[2])+128)/256 + 16)
		return int(min(max(y8, 0), 255))
	}
	var img, c, half [32][32]float32
	for y := range 32 {
		for x := range 32 {
			for dy := -3; dy <= 3; dy++ {
				for dx := -3; dx <= 3; dx++ {
					img[y][x] += float32(luma(x*w/32+dx, y*h/32+dy))
				}
			}
			c[y][x] = float32(1 / math.Sqrt(32))
			if y > 0 {
				c[y][x] = float32(float64(float32(math.Sqrt(2.0/32))) * math.Cos(math.Pi/64*float64(y)*float64(2*x+1)))
			}
		}
	}
	for i := range 32 {
		for j := range 32 {
			var s float64
			for k := range 32 {
				s += float64(c[i][k] * img[k][j])
			}
			half[i][j] = float32(s)
		}
	}
	var low []float32
	for i := 1; i <= 8; i++ {
		for j := 1; j <= 8; j++ {
			var s float64
			for k := range 32 {
				s += float64(half[i][k] * c[j][k])
			}
			low = append(low, float32(s))
		}
	}
	sorted := slices.Sorted(slices.Values(low))
	median := (sorted[31] + sorted[32]) / 2
	var hash uint64
	for i, v := range low {
		if v > median {
			hash |= 1 << i
		}
	}
	return hash
}

var modes = map[int]imaging.Mode{1: imaging.ModeL, 2: imaging.ModeLA, 3: imaging.ModeRGB, 4: imaging.ModeRGBA}

func TestPHashEqualsReference(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		w, h, bands := 1+rng.IntN(400), 1+rng.IntN(400), 1+rng.IntN(4)
		pix := make([]uint8, w*h*bands)
		base := rng.IntN(256)
		for i := range pix {
			pix[i] = uint8(base + i/(1+w/3) + rng.IntN(40))
		}
		got, err := PHash(&imaging.Picture{Mode: modes[bands], Width: w, Height: h, Pix: pix})
		if err != nil {
			t.Fatal(err)
		}
		if want := referenceHash(pix, w, h, bands); got != want {
			t.Fatalf("%d x %d x %d: %016x, want %016x", w, h, bands, got, want)
		}
	}
}

func TestPHashRefusesMissingPixels(t *testing.T) {
	for _, p := range []*imaging.Picture{
		{},
		{Mode: imaging.ModeRGB, Width: 2, Height: 2, Pix: make([]uint8, 11)},
		{Mode: imaging.ModeL, Width: -1, Height: 2, Pix: make([]uint8, 11)},
	} {
		if hash, err := PHash(p); err == nil {
			t.Errorf("%v: %x", p, hash)
		}
	}
}

// TestHalfSizeIsADuplicate checks the purpose: a half-size copy stays within the Hamming distance of MMC4, another
// picture does not.
func TestHalfSizeIsADuplicate(t *testing.T) {
	draw := func(side int, seed float64) uint64 {
		pix := make([]uint8, side*side*3)
		for y := range side {
			for x := range side {
				u, v := float64(x)/float64(side), float64(y)/float64(side)
				for c := range 3 {
					pix[(y*side+x)*3+c] = uint8(128 + 60*math.Sin(7*u*seed+float64(c)) + 60*math.Cos(5*v*v*seed+3*u))
				}
			}
		}
		hash, err := PHash(&imaging.Picture{Mode: imaging.ModeRGB, Width: side, Height: side, Pix: pix})
		if err != nil {
			t.Fatal(err)
		}
		return hash
	}
	large, small, other := draw(640, 1), draw(320, 1), draw(640, 2.3)
	if d := bits.OnesCount64(large ^ small); d > 5 {
		t.Errorf("a half-size copy is %d bits away", d)
	}
	if d := bits.OnesCount64(large ^ other); d <= 5 {
		t.Errorf("another picture is only %d bits away", d)
	}
}

func TestGroups(t *testing.T) {
	pictures := []Named{{"d", 0b111111}, {"a", 0}, {"c", 0b111}, {"b", 0}, {"e", 1 << 60}, {"f", 1<<60 | 1}}
	for _, c := range []struct {
		threshold int
		want      [][]string
	}{
		{0, [][]string{{"a", "b"}}},
		{1, [][]string{{"a", "b", "e"}}}, // e goes to the first hash; f cannot follow it
		{3, [][]string{{"a", "b", "c", "e", "f"}}},
		{64, [][]string{{"a", "b", "c", "d", "e", "f"}}},
	} {
		got := Groups(pictures, c.threshold)
		if !slices.EqualFunc(got, c.want, func(a, b []string) bool { return slices.Equal(a, b) }) {
			t.Errorf("threshold %d: %v, want %v", c.threshold, got, c.want)
		}
	}
}

func TestEveryPictureIsInAtMostOneGroup(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		var pictures []Named
		for i := range rng.IntN(30) {
			pictures = append(pictures, Named{string(rune('a' + i)), rng.Uint64() & 0xff})
		}
		seen := map[string]bool{}
		for _, group := range Groups(pictures, rng.IntN(5)) {
			if len(group) < 2 || !slices.IsSorted(group) {
				t.Fatal(group)
			}
			for _, name := range group {
				if seen[name] {
					t.Fatalf("%s is in two groups", name)
				}
				seen[name] = true
			}
		}
	}
}

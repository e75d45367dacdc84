package pipeline

import (
	"context"
	"crypto/sha256"
	"math"
	"math/rand/v2"
	"sync"

	"mmc4/internal/imaging"
)

// fakeEmbedder makes vectors from hashes: deterministic, normalised, and near enough to each other that most similarities
// pass.
type fakeEmbedder struct{ name, device string }

func (fakeEmbedder) Dim() int              { return 16 }
func (f fakeEmbedder) Fingerprint() string { return "fake " + f.name }
func (f fakeEmbedder) Profile() string     { return f.device }

func (f fakeEmbedder) vector(of []byte) []float32 {
	rnd := rand.New(rand.NewChaCha8(sha256.Sum256(of)))
	v := make([]float32, f.Dim())
	sum := 0.0
	for i := range v {
		v[i] = float32(rnd.NormFloat64())
		if i == 0 {
			v[i] = 1.2
		}
		sum += float64(v[i]) * float64(v[i])
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(sum))
	}
	return v
}

func (f fakeEmbedder) EncodeImages(_ context.Context, pictures []*imaging.RGB) ([][]float32, error) {
	var out [][]float32
	for _, p := range pictures {
		out = append(out, f.vector(p.Pix))
	}
	return out, nil
}

func (f fakeEmbedder) EncodeTexts(_ context.Context, sentences []string) ([][]float32, error) {
	var out [][]float32
	for _, s := range sentences {
		out = append(out, f.vector([]byte(s)))
	}
	return out, nil
}

// listener keeps what a build tells.
type listener struct {
	mu      sync.Mutex
	updates []StageProgress
	notes   []string
}

func (l *listener) Update(p StageProgress) {
	l.mu.Lock()
	l.updates = append(l.updates, p)
	l.mu.Unlock()
}
func (l *listener) Note(text string) { l.mu.Lock(); l.notes = append(l.notes, text); l.mu.Unlock() }

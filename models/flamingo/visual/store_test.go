package visual

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mmc4/internal/imaging"
	"mmc4/kernels"
)

var kind = Kind{Fingerprint: strings.Repeat("ab", 32), Tokens: 2, Width: 3, DType: kernels.F32}

func picture(v byte) Key {
	m := imaging.NewRGB(2, 2)
	m.Pix[0] = v
	return KeyOf(m)
}

func open(t *testing.T, dir string, k Kind) *Store {
	t.Helper()
	s, err := Open(context.Background(), dir, k)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func tokens(v byte) []byte { return bytes.Repeat([]byte{v}, 24) }

func TestStore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "features") // not there yet
	ctx := context.Background()
	s, other := open(t, dir, kind), open(t, dir, kind)
	for i, to := range []*Store{s, other} { // two writers at once lose nothing of each other
		if err := to.Put(picture(byte(i)), tokens(byte(i+1))); err != nil {
			t.Fatal(err)
		}
		if err := to.Flush(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Get(picture(7)); !errors.Is(err, ErrMissing) {
		t.Errorf("a picture that nobody has seen: %v", err)
	}
	if err := s.Put(picture(3), []byte{1}); err == nil {
		t.Error("tokens of the wrong size were taken")
	}
	again := open(t, dir, kind)
	if again.Len() != 2 {
		t.Errorf("%d pictures, not 2", again.Len())
	}
	for i := range byte(2) {
		if got, err := again.Get(picture(i)); err != nil || !bytes.Equal(got, tokens(i+1)) {
			t.Errorf("picture %d: %v, %v", i, got, err)
		}
	}
	elsewhere := kind
	elsewhere.Fingerprint = strings.Repeat("cd", 32)
	foreign := open(t, dir, elsewhere)
	if n := foreign.Len(); n != 0 {
		t.Errorf("another tower finds %d pictures", n)
	}
	if only, err := Only(ctx, dir); err != nil || only != kind.Fingerprint {
		t.Errorf("the only tower is %q, %v", only, err)
	}
	if err := errors.Join(foreign.Put(picture(1), tokens(9)), foreign.Flush(ctx)); err != nil {
		t.Fatal(err)
	}
	if _, err := Only(ctx, dir); err == nil || !strings.Contains(err.Error(), "abababababababab and cdcdcdcdcdcdcdcd") {
		t.Errorf("two towers: %v", err)
	}
	if _, err := Only(ctx, t.TempDir()); !errors.Is(err, ErrMissing) {
		t.Errorf("an empty folder: %v", err)
	}
}

func TestWrongTokensAreNamed(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := open(t, dir, kind)
	if err := errors.Join(s.Put(picture(1), tokens(1)), s.Flush(ctx)); err != nil {
		t.Fatal(err)
	}
	for name, k := range map[string]Kind{
		"another width": {kind.Fingerprint, 2, 2, kernels.F32},
		"another type":  {kind.Fingerprint, 2, 3, kernels.BF16},
	} {
		if _, err := open(t, dir, k).Get(picture(1)); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	path, _ := filepath.Glob(filepath.Join(dir, "*.safetensors"))
	text, err := os.ReadFile(path[0])
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)-1] ^= 1
	if err := os.WriteFile(path[0], text, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, dir, kind).Get(picture(1)); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "checksum") {
		t.Errorf("a bit that flipped: %v", err)
	}
	alike := kind
	alike.Fingerprint = kind.Fingerprint[:60] + "0000" // the same beginning
	if _, err := Open(ctx, dir, alike); err == nil || !strings.Contains(err.Error(), "tower") {
		t.Errorf("a tower whose fingerprint begins alike: %v", err)
	}
	if err := os.WriteFile(path[0], text[:40], 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(ctx, dir, kind); err == nil || !strings.Contains(err.Error(), filepath.Base(path[0])) {
		t.Errorf("a segment that was cut off: %v", err)
	}
}

package inflate

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
)

func pack(t testing.TB, data []byte, level int) []byte {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, level)
	if err != nil {
		t.Fatal(err)
	}
	w.Name = "a name"
	w.Write(data)
	w.Close()
	return out.Bytes()
}

func inputs() map[string][]byte {
	r := rand.New(rand.NewPCG(5, 6))
	random, few, words := make([]byte, 200_000), make([]byte, 100_000), []byte{}
	for i := range random {
		random[i] = byte(r.IntN(256))
	}
	for i := range few {
		few[i] = "abcdefgh"[min(7, int(r.ExpFloat64()))]
	}
	for len(words) < 300_000 {
		words = append(words, strings.Repeat(string(few[r.IntN(90_000):][:r.IntN(12)]), 1+r.IntN(3))...)
		words = append(words, " <p class=\"x\">"[:r.IntN(14)]...)
	}
	skewed := make([]byte, 0, 1<<18)
	for i := range 18 { // code lengths up to 15
		skewed = append(skewed, bytes.Repeat([]byte{byte(i)}, 1<<min(i, 16))...)
	}
	r.Shuffle(len(skewed), func(i, j int) { skewed[i], skewed[j] = skewed[j], skewed[i] })
	return map[string][]byte{"empty": nil, "one": []byte("x"), "random": random, "few": few, "words": words, "zeros": make([]byte, 500_000), "skewed": skewed}
}

func TestAgainstReference(t *testing.T) {
	var d Decoder
	var out []byte
	for name, want := range inputs() {
		for _, level := range []int{gzip.HuffmanOnly, gzip.NoCompression, 1, 6, 9} {
			packed := pack(t, want, level)
			var used int
			var err error
			out, used, err = d.Member(out, append(bytes.Clone(packed), "behind it"...), 1<<20)
			if err != nil || used != len(packed) || !bytes.Equal(out, want) {
				t.Fatalf("%s, level %d: %d of %d bytes, %d of %d used, %v", name, level, len(out), len(want), used, len(packed), err)
			}
			for _, cut := range []int{0, 1, 9, 12, len(packed) / 3, len(packed) / 2, len(packed) - 9, len(packed) - 1} {
				if cut < len(packed) {
					if _, _, err := d.Member(nil, packed[:max(0, cut)], 1<<20); !errors.Is(err, ErrShort) {
						t.Fatalf("%s, level %d, cut at %d of %d: %v", name, level, cut, len(packed), err)
					}
				}
			}
		}
	}
	if _, _, err := d.Member(nil, pack(t, make([]byte, 100_000), 6), 50_000); !errors.Is(err, ErrLarge) {
		t.Errorf("over the limit: %v", err)
	}
}

// The output buffer may have any size at first, and grow anywhere.
func TestBuffers(t *testing.T) {
	var d Decoder
	want := inputs()["words"][:5000]
	packed := pack(t, want, 6)
	for size := range 5600 {
		out, _, err := d.Member(make([]byte, 0, size), packed, 1<<20)
		if err != nil || !bytes.Equal(out, want) {
			t.Fatalf("into %d bytes: %d of %d, %v", size, len(out), len(want), err)
		}
	}
}

func compare(t *testing.T, data []byte) {
	var d Decoder
	got, used, err := d.Member(make([]byte, 0, 300+len(data)), data, 1<<22)
	if errors.Is(err, ErrLarge) {
		return
	}
	z, zerr := gzip.NewReader(bytes.NewReader(data))
	var want []byte
	if zerr == nil {
		z.Multistream(false)
		want, zerr = io.ReadAll(z)
	}
	if (err == nil) != (zerr == nil) {
		t.Fatalf("%x: %v, reference %v", data, err, zerr)
	}
	if err == nil && (!bytes.Equal(got, want) || used > len(data)) {
		t.Fatalf("%x: got %q, want %q", data, got, want)
	}
}

func TestDamage(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	packed := [][]byte{pack(t, inputs()["words"][:3000], 6), pack(t, []byte("hello hello hello"), 6), pack(t, inputs()["skewed"][:5000], gzip.HuffmanOnly)}
	for range 3000 {
		data := bytes.Clone(packed[r.IntN(len(packed))])
		for range 1 + r.IntN(3) {
			data[r.IntN(len(data))] = byte(r.IntN(256))
		}
		compare(t, data)
	}
}

func FuzzMember(f *testing.F) {
	f.Add(pack(f, []byte("hello hello hello hello"), 6))
	f.Add(pack(f, inputs()["words"][:500], 9))
	f.Add(pack(f, inputs()["few"][:500], gzip.HuffmanOnly))
	f.Fuzz(compare)
}

func BenchmarkMember(b *testing.B) {
	data := inputs()["words"]
	packed := pack(b, data, 6)
	b.Run("member", func(b *testing.B) {
		var d Decoder
		var out []byte
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			out, _, _ = d.Member(out, packed, 1<<20)
		}
	})
	b.Run("reference", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		z, _ := gzip.NewReader(bytes.NewReader(packed))
		for b.Loop() {
			z.Reset(bytes.NewReader(packed))
			io.Copy(io.Discard, z)
		}
	})
}

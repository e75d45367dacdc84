package bench

// The data path of training: tars of JPEGs with captions to ids and normalised pixels.

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"mmc4/internal/imaging"
	"mmc4/internal/storage"
	"mmc4/kernels"
	"mmc4/kernels/device"
	"mmc4/models/clip"
	"mmc4/models/tokenizer"
	"mmc4/train/data"
)

// Sides of the pictures: 256 is what img2dataset makes unless it is told otherwise.
var dataRows = append([]Row{pathRow(256, 256), pathRow(512, 384)}, waitRows...)

func pathRow(width, height int) Row {
	return Row{Name: fmt.Sprintf("data.webdataset-%d", width), Peer: "webdataset as open_flamingo 2.0.1", Bar: 5,
		Input: fmt.Sprintf("%d tars of %d JPEGs of %d x %d pixels with captions, to ids and 224 x 224 fp32 pixels", pathTars, pathSamples, width, height),
		Open:  func(ctx context.Context, lab *Lab) (*Contest, error) { return openPath(ctx, lab, width, height) }}
}

// A pass is over several tars: a stream goes on with the next epoch, so that what it has in work when a pass ends is made for nothing. Up to
// Prefetch samples are, once in a training; of one tar they would be a fifth of the work.
const (
	pathTars    = 16
	pathSamples = 128 // of a tar
	pathBatch   = 32
	pathTokens  = 32
	pathSide    = 224
)

// pairsPath is our side: a production stream over the tar, and the device's normalising.
type pairsPath struct {
	source  data.Source
	maker   *data.Pairs
	device  *kernels.Pass
	samples []*data.Sample
	squares []byte    // of a batch
	pixels  []float32 // of the samples, where they are asked for
}

// run leaves the pixels of all tars on the device, where training wants them; see reads those of the first back.
func (p *pairsPath) run() error { return p.pass(pathTars, false) }
func (p *pairsPath) see() error { return p.pass(1, true) }

func (p *pairsPath) pass(tars int, see bool) error {
	stream, err := data.NewStream(context.Background(), p.source, p.maker, data.StreamOptions{Workers: 1, Prefetch: pathBatch}, data.Position{})
	if err != nil {
		return err
	}
	defer stream.Close()
	p.samples, p.pixels = p.samples[:0], p.pixels[:0]
	for range tars * pathSamples / pathBatch {
		samples := make([]*data.Sample, pathBatch)
		for i := range samples {
			if samples[i], err = stream.Next(context.Background()); err != nil {
				return err
			}
		}
		batch := data.NewBatch(samples, p.maker.Tokens.Pad, 0, 0)
		p.squares = p.squares[:0]
		for _, m := range batch.Pictures {
			p.squares = append(p.squares, m.Pix...)
		}
		batch.Release()
		p.device.Reset()
		prepare := p.maker.Preprocess
		pixels := p.device.NormalizePixels(p.device.FromUint8(p.squares, pathBatch, pathSide, pathSide, 3), prepare.Mean, prepare.Std)
		if !see {
			if err := p.device.Wait(); err != nil {
				return err
			}
			continue
		}
		values, err := p.device.Float32(pixels)
		if err != nil {
			return err
		}
		p.samples, p.pixels = append(p.samples, samples...), append(p.pixels, values...)
	}
	return nil
}

func openPath(ctx context.Context, lab *Lab, width, height int) (*Contest, error) {
	tokenizerPath, err := lab.Write("tokenizer.json", letterTokenizer())
	if err != nil {
		return nil, err
	}
	tars, err := writePairs(lab, width, height)
	if err != nil {
		return nil, err
	}
	peer, err := lab.Python("data_peer.py", args{"tars": tars, "tokenizer": tokenizerPath, "samples": pathTars * pathSamples, "shown": pathSamples, "side": pathSide, "max_tokens": pathTokens})
	if err != nil {
		return nil, err
	}
	t, err := tokenizer.Load(tokenizerPath)
	if err != nil {
		return nil, err
	}
	tokens, err := data.NewTokens(t, "<|endoftext|>", "")
	if err != nil {
		return nil, err
	}
	source, err := data.OpenTars(ctx, tars, storage.Options{})
	if err != nil {
		return nil, err
	}
	dev, err := device.Open("cpu")
	if err != nil {
		return nil, Unavailable{err.Error()}
	}
	queue, err := dev.NewQueue()
	if err != nil {
		return nil, err
	}
	ours := &pairsPath{source: source, maker: &data.Pairs{Tokens: tokens, Preprocess: clip.OpenAIPreprocess(pathSide), MaxTokens: pathTokens, Compat: true},
		device: kernels.NewPass(dev, queue, kernels.NewArena(dev, 0), kernels.PassOptions{})}
	agree := func() (string, error) {
		theirs, err := peer.Output(lab)
		if err != nil {
			return "", err
		}
		if err := ours.see(); err != nil {
			return "", err
		}
		return ours.compare(theirs)
	}
	return &Contest{Unit: "samples/s", Work: pathTars * pathSamples, Ours: self{run: ours.run, close: dev.Close}, Theirs: peer, Agree: agree}, nil
}

// compare reads what the peer wrote. Ours are mirrored by chance, theirs never.
func (p *pairsPath) compare(theirs []byte) (string, error) {
	const plane = pathSide * pathSide
	furthest := 0.0
	for i, s := range p.samples {
		if len(theirs) < 4 {
			return "", fmt.Errorf("outputs differ: the peer has %d samples, not %d", i, len(p.samples))
		}
		ids := make([]int32, binary.LittleEndian.Uint32(theirs))
		theirs = theirs[4:]
		for k := range ids {
			ids[k] = int32(binary.LittleEndian.Uint32(theirs[4*k:]))
		}
		theirs = theirs[4*len(ids):]
		if !slices.Equal(ids, s.IDs) {
			return "", fmt.Errorf("outputs differ: sample %d has ids %v here, %v there", i, s.IDs, ids)
		}
		for k := range 3 * plane {
			at := k
			if x := k % pathSide; s.Flipped {
				at = k - x + pathSide - 1 - x
			}
			there := math.Float32frombits(binary.LittleEndian.Uint32(theirs[4*k:]))
			furthest = max(furthest, math.Abs(float64(p.pixels[3*plane*i+at]-there)))
		}
		theirs = theirs[4*3*plane:]
	}
	if furthest > 1e-5 {
		return "", fmt.Errorf("outputs differ: pixels by %.3g", furthest)
	}
	return fmt.Sprintf("ids of %d samples equal, pixels to %.1g", len(p.samples), furthest), nil
}

// writePairs writes a tar as img2dataset does, and the same under more names.
func writePairs(lab *Lab, width, height int) ([]string, error) {
	rng := lab.Rand("data")
	p := newProse(rng)
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	add := func(name string, content []byte) error {
		if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(content)), Typeflag: tar.TypeReg, Mode: 0o644}); err != nil {
			return err
		}
		_, err := w.Write(content)
		return err
	}
	for i := range pathSamples {
		var caption strings.Builder
		p.sentence(&caption)
		var jpeg bytes.Buffer
		if err := imaging.EncodeJPEG(&jpeg, drawPhoto(rng, width, height), 90); err != nil {
			return nil, err
		}
		if err := add(fmt.Sprintf("%09d.jpg", i), jpeg.Bytes()); err != nil {
			return nil, err
		}
		if err := add(fmt.Sprintf("%09d.txt", i), []byte(caption.String())); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	tars := make([]string, pathTars)
	for i := range tars {
		var err error
		if tars[i], err = lab.Write(fmt.Sprintf("pairs-%02d.tar", i), b.Bytes()); err != nil {
			return nil, err
		}
	}
	return tars, nil
}

// letterTokenizer is a byte-level BPE without merges, the smallest there is.
func letterTokenizer() []byte {
	vocabulary := map[string]int{"<|endoftext|>": 0}
	next := rune(256)
	for b := range rune(256) {
		letter := b
		if !(b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae) {
			letter, next = next, next+1
		}
		vocabulary[string(letter)] = len(vocabulary)
	}
	level := map[string]any{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}
	text, _ := json.Marshal(map[string]any{"version": "1.0", "added_tokens": []any{}, "pre_tokenizer": level, "post_processor": nil, "decoder": level,
		"model": map[string]any{"type": "BPE", "vocab": vocabulary, "merges": []string{}}})
	return text
}

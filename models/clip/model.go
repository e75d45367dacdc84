package clip

// A model in use: loading a folder and encoding pictures and texts. Reads config.json or open_clip_config.json, weights
// (safetensors or PyTorch), tokenizer files, preprocessor_config.json.

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"

	"mmc4/internal/imaging"
	"mmc4/kernels"
	"mmc4/models/tokenizer"
	"mmc4/models/weights"
)

// Options say how a model computes. The zero value is fp32 in batches of 8 pictures.
type Options struct {
	DType kernels.DType // F32, BF16 or I8 (matrices in int8, the rest fp32)
	Batch int           // pictures at a time; texts go four times as many at a time
	Check bool          // look for NaN and infinity in the weights first
}

// Model is a CLIP model on a device. Its methods may be called from several goroutines; they compute one after the other.
type Model struct {
	Config     Config
	Preprocess Preprocess
	Vision     *Vision
	Text       *Text

	tokens  *tokenizer.CLIP
	options Options
	dev     kernels.Device
	file    *weights.File
	mu      sync.Mutex // of pass
	pass    *kernels.Pass
	print   func() (string, error)
}

// Load opens the model of a folder.
func Load(ctx context.Context, dir string, dev kernels.Device, o Options) (*Model, error) {
	config, configPath, err := readConfig(dir)
	if err != nil {
		return nil, err
	}
	t, err := tokenizer.Load(dir)
	if err != nil {
		return nil, fmt.Errorf("clip: %w", err)
	}
	tokens, ok := t.(*tokenizer.CLIP)
	if !ok {
		return nil, fmt.Errorf("clip: %s holds a tokenizer that is not CLIP's; it needs vocab.json and merges.txt, or bpe_simple_vocab_16e6.txt.gz", dir)
	}
	if size, vocab := tokens.Size(), config.Text.Vocab; size > vocab || vocab > max((size+511)/512*512, size+size/10) { // programs round vocabularies up
		return nil, fmt.Errorf("clip: the tokenizer of %s has %d ids, the text tower %d: they do not belong together, or the tokenizer is cut short; take both from one model", dir, size, vocab)
	}
	file, err := weights.Open(ctx, dir)
	if err != nil {
		return nil, fmt.Errorf("clip: %w", err)
	}
	m, err := New(ctx, dev, file, config, tokens, o)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("clip: %s: %w", configPath, err)
	}
	if err := m.readPreprocess(dir); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

func readConfig(dir string) (Config, string, error) {
	for _, name := range []string{"open_clip_config.json", "config.json"} {
		path := filepath.Join(dir, name)
		data, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return Config{}, path, fmt.Errorf("clip: %w", err)
		}
		c, err := ParseConfig(data)
		if err != nil {
			return Config{}, path, fmt.Errorf("%s: %w", path, err)
		}
		return c, path, nil
	}
	return Config{}, dir, fmt.Errorf("clip: %s holds neither open_clip_config.json nor config.json", dir)
}

// New makes a model of open weights, which it closes with itself. tokens may be nil when no text is to be encoded.
func New(ctx context.Context, dev kernels.Device, file *weights.File, c Config, tokens *tokenizer.CLIP, o Options) (*Model, error) {
	if o.DType == 0 {
		o.DType = kernels.F32
	}
	if o.Batch <= 0 {
		o.Batch = 8
	}
	if o.Check {
		if err := file.CheckFinite(ctx); err != nil {
			return nil, err
		}
	}
	queue, err := dev.NewQueue()
	if err != nil {
		return nil, err
	}
	m := &Model{Config: c, Preprocess: OpenAIPreprocess(c.Vision.ImageSize), tokens: tokens, options: o, dev: dev, file: file}
	if m.Vision, err = NewVision(dev, queue, file, c.Vision, c.EmbedDim, o.DType); err != nil {
		return nil, err
	}
	if m.Text, err = NewText(dev, queue, file, c.Text, c.EmbedDim, o.DType); err != nil {
		return nil, err
	}
	m.print = sync.OnceValues(m.fingerprint)
	if err := m.Vision.Freeze(); err != nil {
		return nil, err
	}
	if err := m.Text.Freeze(); err != nil {
		return nil, err
	}
	if o.DType != kernels.F32 {
		debug.FreeOSMemory() // the weights as they were before conversion
	}
	activations := kernels.F32
	if o.DType == kernels.BF16 {
		activations = kernels.BF16
	}
	m.pass = kernels.NewPass(dev, queue, kernels.NewArena(dev, 0), kernels.PassOptions{DType: activations})
	return m, nil
}

// readPreprocess takes mean, standard deviation and filter from the model's files where they name them.
func (m *Model) readPreprocess(dir string) error {
	var hf struct {
		Mean []float32 `json:"image_mean"`
		Std  []float32 `json:"image_std"`
		// Pillow's number of the filter
		Resample *int `json:"resample"`
	}
	var open struct {
		Preprocess struct {
			Mean          []float32 `json:"mean"`
			Std           []float32 `json:"std"`
			Interpolation string    `json:"interpolation"`
			ResizeMode    string    `json:"resize_mode"`
		} `json:"preprocess_cfg"`
	}
	for name, into := range map[string]any{"preprocessor_config.json": &hf, "open_clip_config.json": &open} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err == nil {
			err = json.Unmarshal(data, into)
		}
		if err != nil {
			return fmt.Errorf("clip: %s: %w", filepath.Join(dir, name), err)
		}
	}
	if mode := open.Preprocess.ResizeMode; mode != "" && mode != "shortest" {
		return fmt.Errorf("clip: %s asks for resize_mode %q; only \"shortest\" is supported", dir, mode)
	}
	switch open.Preprocess.Interpolation {
	case "bilinear":
		m.Preprocess.Filter = imaging.Bilinear
	case "", "bicubic":
	default:
		return fmt.Errorf("clip: %s asks for interpolation %q; bicubic and bilinear are supported", dir, open.Preprocess.Interpolation)
	}
	if hf.Resample != nil {
		switch *hf.Resample {
		case 2:
			m.Preprocess.Filter = imaging.Bilinear
		case 3:
		default:
			return fmt.Errorf("clip: %s asks for resample %d; 2 (bilinear) and 3 (bicubic) are supported", dir, *hf.Resample)
		}
	}
	for _, list := range [][2][]float32{{hf.Mean, hf.Std}, {open.Preprocess.Mean, open.Preprocess.Std}} {
		if len(list[0]) == 3 && len(list[1]) == 3 {
			m.Preprocess.Mean, m.Preprocess.Std = [3]float32(list[0]), [3]float32(list[1])
		}
	}
	return nil
}

// Close gives all memory back: on the device, then of the file. Nothing may be computing.
func (m *Model) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.pass != nil {
		m.pass.Arena().Free()
	}
	m.Vision.Free()
	m.Text.Free()
	return m.file.Close()
}

// File is the open weights that the model was made of.
func (m *Model) File() *weights.File { return m.file }

// Dim is the length of a feature.
func (m *Model) Dim() int { return m.Config.EmbedDim }

// Fingerprint names the model by content: the same for the same config, preprocessing, weights and vocabulary, whatever files hold them.
// The first call reads all weights.
func (m *Model) Fingerprint() (string, error) { return m.print() }

func (m *Model) fingerprint() (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "%+v %v %v %d\n", m.Config, m.Preprocess.Mean, m.Preprocess.Std, m.options.DType)
	if f := m.Preprocess.Filter; f != imaging.Bicubic { // what is left out for bicubic leaves the names of features there are
		fmt.Fprintf(h, "filter %d\n", f)
	}
	for _, name := range m.file.Names() {
		t, err := m.file.Tensor(name)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%q %s %v\n", name, t.DType, t.Shape)
		h.Write(t.Data)
	}
	if m.tokens != nil {
		for id := range m.tokens.Size() {
			token := m.tokens.Token(id)
			binary.Write(h, binary.LittleEndian, uint32(len(token)))
			h.Write([]byte(token))
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// EncodeImages gives a feature of norm 1 for each picture, in order. The next batch is resized while one is computed.
func (m *Model) EncodeImages(ctx context.Context, pictures []*imaging.RGB) ([][]float32, error) {
	side := m.Config.Vision.ImageSize
	type batch struct {
		pixels []byte
		n      int
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	batches := make(chan batch, 1)
	go func() {
		defer close(batches)
		for rest := pictures; len(rest) > 0; {
			now := rest[:min(len(rest), m.options.Batch)]
			rest = rest[len(now):]
			b := batch{pixels: make([]byte, len(now)*side*side*3), n: len(now)}
			var each sync.WaitGroup
			for i, picture := range now {
				each.Go(func() { copy(b.pixels[i*side*side*3:], m.Preprocess.Square(picture).Pix) })
			}
			each.Wait()
			select {
			case batches <- b:
			case <-ctx.Done():
				return
			}
		}
	}()
	features := make([][]float32, 0, len(pictures))
	for b := range batches {
		rows, err := m.compute(ctx, b.n, func(p *kernels.Pass) kernels.Tensor {
			pixels := p.NormalizePixels(p.FromUint8(b.pixels, b.n, side, side, 3), m.Preprocess.Mean, m.Preprocess.Std)
			return m.Vision.Features(p, pixels)
		})
		if err != nil {
			return nil, fmt.Errorf("clip: images: %w", err)
		}
		features = append(features, rows...)
	}
	return features, ctx.Err()
}

// EncodeTexts gives a feature of norm 1 for each text, in order.
func (m *Model) EncodeTexts(ctx context.Context, texts []string) ([][]float32, error) {
	if m.tokens == nil {
		return nil, errors.New("clip: this model was made without a tokenizer")
	}
	features := make([][]float32, 0, len(texts))
	for rest := texts; len(rest) > 0; {
		now := rest[:min(len(rest), 4*m.options.Batch)]
		rest = rest[len(now):]
		ids := make([][]int, len(now))
		longest := 0
		for i, text := range now {
			ids[i] = m.tokens.Encode(text)
			if context := m.Config.Text.Context; len(ids[i]) > context {
				ids[i][context-1] = ids[i][len(ids[i])-1]
				ids[i] = ids[i][:context]
			}
			longest = max(longest, len(ids[i]))
		}
		rows := make([][]int64, len(now)) // causal: what follows the end token changes nothing, so none of it is computed
		for i := range rows {
			rows[i] = make([]int64, longest)
			for j, id := range ids[i] {
				rows[i][j] = int64(id)
			}
		}
		got, err := m.compute(ctx, len(now), func(p *kernels.Pass) kernels.Tensor { return m.Text.Features(p, rows) })
		if err != nil {
			return nil, fmt.Errorf("clip: texts: %w", err)
		}
		features = append(features, got...)
	}
	return features, ctx.Err()
}

// compute runs one batch and gives its n features, normalised.
func (m *Model) compute(ctx context.Context, n int, features func(p *kernels.Pass) kernels.Tensor) ([][]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pass.Reset()
	flat, err := m.pass.Float32(m.pass.L2Norm(features(m.pass)))
	if err != nil {
		return nil, err
	}
	rows := make([][]float32, n)
	for i := range rows {
		rows[i] = flat[i*m.Dim() : (i+1)*m.Dim() : (i+1)*m.Dim()]
	}
	return rows, nil
}

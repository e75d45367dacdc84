package bench

// A folder of JPEGs through what `mmc4 embed` runs, against the bare image tower on pictures that are ready: what reading,
// decoding, resizing and writing cost beside the model. Two threads, by the clock.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"

	"mmc4/internal/imaging"
	"mmc4/kernels"
	"mmc4/models/clip"
	"mmc4/models/tokenizer"
	"mmc4/models/weights"
	"mmc4/pipeline/features"
)

const (
	embedPictures, embedBatch = 16, 8
	embedWidth, embedHeight   = 1024, 768
)

var embedRows = []Row{embedRow("fp32", kernels.F32), embedRow("bf16", kernels.BF16)}

func embedRow(name string, dtype kernels.DType) Row {
	return Row{Name: "embed." + name, Bar: 0.9,
		Input: fmt.Sprintf("%d JPEGs of %d x %d pixels, ViT-L/14, two threads by the clock", embedPictures, embedWidth, embedHeight), Peer: "the bare tower, pictures decoded before",
		Open: func(ctx context.Context, lab *Lab) (*Contest, error) {
			if runtime.NumCPU() < 2 {
				return nil, Unavailable{"this machine has one core"}
			}
			runtime.GOMAXPROCS(2) // Run sets it back
			e, err := newEmbedding(ctx, lab, dtype)
			if err != nil {
				return nil, err
			}
			agree := func() (string, error) {
				if err := errors.Join(e.embed(), e.bare()); err != nil {
					return "", err
				}
				mine, err := readNpy(e.out, embedPictures*vitDim)
				if err != nil {
					return "", err
				}
				return closeTo(mine, e.features, 1e-5)
			}
			return &Contest{Unit: "img/s", Work: embedPictures, Ours: self{run: e.embed, close: e.close, clock: true},
				Theirs: self{version: "the bare tower", run: e.bare, clock: true}, Agree: agree}, nil
		}}
}

// embedding is a folder of pictures, and the tower twice: in the model that embeds the folder, and bare.
type embedding struct {
	ctx      context.Context
	folder   string
	out      string
	model    *clip.Model
	tower    *tower
	pixels   []float32 // of all pictures, ready
	features []float32 // that the bare tower made of them
}

func newEmbedding(ctx context.Context, lab *Lab, dtype kernels.DType) (*embedding, error) {
	e := &embedding{ctx: ctx, folder: lab.Path("pictures"), out: lab.Path("features.npy")}
	if err := os.MkdirAll(e.folder, 0o755); err != nil {
		return nil, err
	}
	rng, prepare := lab.Rand("embed"), clip.OpenAIPreprocess(vitSide)
	e.pixels = make([]float32, embedPictures*3*vitSide*vitSide)
	for i := range embedPictures {
		var jpeg bytes.Buffer
		if err := imaging.EncodeJPEG(&jpeg, drawPhoto(rng, embedWidth, embedHeight), 85); err != nil {
			return nil, err
		}
		if _, err := lab.Write(fmt.Sprintf("pictures/%02d.jpg", i), jpeg.Bytes()); err != nil {
			return nil, err
		}
		picture, err := imaging.Decode(jpeg.Bytes(), imaging.Limits{})
		if err != nil {
			return nil, err
		}
		prepare.Normalize(e.pixels[i*3*vitSide*vitSide:], prepare.Square(picture.RGB()))
	}

	path, err := writeWeights(lab, "clip", "clip.safetensors", clipTensors())
	if err != nil {
		return nil, err
	}
	if e.tower, err = newTower(ctx, path, dtype); err != nil {
		return nil, err
	}
	if e.model, err = newCLIP(ctx, path, e.tower.dev, nil, dtype); err != nil { // one device: its threads are for one op at a time anyway
		return nil, errors.Join(err, e.tower.close())
	}
	return e, nil
}

// A text tower without layers: what texts cost is not asked here. Its vocabulary is that of a merge table of one pair.
const (
	textWidth, textVocab = 64, 515
	oneMerge             = "#version\nt h</w>"
)

// clipTensors are the image tower of ViT-L/14 and the little text tower.
func clipTensors() []randomTensor {
	return append(vitTensors(vitWidth, vitLayers, vitPatch, vitDim),
		randomTensor{"token_embedding.weight", 0, 0.02, []int{textVocab, textWidth}}, randomTensor{"positional_embedding", 0, 0.01, []int{tokenizer.CLIPContext, textWidth}},
		randomTensor{"ln_final.weight", 1, 0.1, []int{textWidth}}, randomTensor{"ln_final.bias", 0, 0.1, []int{textWidth}},
		randomTensor{"text_projection", 0, 0.03, []int{textWidth, vitDim}})
}

// newCLIP makes the model of clipTensors in a file; tokens may be nil where there are no texts.
func newCLIP(ctx context.Context, path string, dev kernels.Device, tokens *tokenizer.CLIP, dtype kernels.DType) (*clip.Model, error) {
	file, err := weights.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	config := clip.Config{EmbedDim: vitDim, Vision: vitConfig,
		Text: clip.TextConfig{Width: textWidth, Heads: 1, MLP: textWidth, Context: tokenizer.CLIPContext, Vocab: textVocab, Act: kernels.QuickGELU, Eps: 1e-5, EOS: -1}}
	m, err := clip.New(ctx, dev, file, config, tokens, clip.Options{DType: dtype, Batch: embedBatch})
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return m, nil
}

// embed is the whole of `mmc4 embed FOLDER`, the model being loaded.
func (e *embedding) embed() error {
	s, err := features.Embed(e.ctx, features.Config{Input: e.folder, Out: e.out, Model: e.model, Batch: embedBatch}, features.Report{})
	if err == nil && s.Rows != embedPictures {
		err = fmt.Errorf("%d of %d pictures were embedded", s.Rows, embedPictures)
	}
	return err
}

func (e *embedding) bare() error {
	const each = embedBatch * 3 * vitSide * vitSide
	e.features = e.features[:0]
	for at := 0; at < len(e.pixels); at += each {
		rows, err := e.tower.features(e.pixels[at:at+each], embedBatch)
		if err != nil {
			return err
		}
		e.features = append(e.features, rows...)
	}
	return nil
}

func (e *embedding) close() error { return errors.Join(e.model.Close(), e.tower.close()) }

// readNpy is the fp32 values at the end of a npy file.
func readNpy(path string, values int) ([]float32, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(data) < 4*values {
		return nil, fmt.Errorf("%s has %d bytes, too few for %d values", path, len(data), values)
	}
	return kernels.DecodeFloats(kernels.F32, data[len(data)-4*values:]), nil
}

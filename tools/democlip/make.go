package main

// The whole way: drawings, training, half precision; and before it, once, the vocabulary. Reads configs/demo-clip.yaml; writes WORK, then the model's
// three files to OUT.

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"

	"mmc4/internal/demo"
	"mmc4/models/weights"
	"mmc4/train"
)

// What the demo CLIP learns from, and what it is measured on. No web is drawn with these seeds.
const (
	trainingSeed, trainingDrawings = 1001, 40000
	heldSeed, heldDrawings         = 2002, 3000
)

// Files of a model folder.
const (
	vocabularyName = "bpe_simple_vocab_16e6.txt" // open_clip's name for a merge table
	shapeName      = "open_clip_config.json"
	weightsName    = "model.safetensors"
)

// secondRound is what the second training changes in the config, besides beginning with the weights of the first: a warm restart
// (Loshchilov and Hutter, 2017) with other batches and a stronger push between strangers.
var secondRound = []string{"seed=2", "steps=800", "optimizer.lr=5e-4", "schedule.warmup=20", "contrast.strangers.weight=60"}

func makeModel(ctx context.Context, work, out string) error {
	drawings, held := filepath.Join(work, "drawings"), filepath.Join(work, "held")
	fmt.Printf("drawing %d pictures\n", trainingDrawings+heldDrawings)
	if err := demo.DrawTraining(drawings, trainingSeed, trainingDrawings); err != nil {
		return err
	}
	if err := demo.DrawTraining(held, heldSeed, heldDrawings); err != nil {
		return err
	}
	checkpoint, err := learn(ctx, filepath.Join(work, "first"), drawings, nil)
	if err != nil {
		return err
	}
	checkpoint, err = learn(ctx, filepath.Join(work, "second"), drawings, append([]string{fmt.Sprintf("weights.start=%q", checkpoint)}, secondRound...))
	if err != nil {
		return err
	}
	if err := pack(ctx, checkpoint, out); err != nil {
		return err
	}
	return measure(ctx, out, held)
}

// learn trains the config with changes and gives its last checkpoint.
func learn(ctx context.Context, run, drawings string, set []string) (checkpoint string, err error) {
	config, err := train.ReadConfig(ctx, "configs/demo-clip.yaml", append([]string{fmt.Sprintf("streams.0.paths=[%q]", drawings)}, set...))
	if err != nil {
		return "", err
	}
	result, err := train.Run(ctx, config, train.Options{Out: run, Note: func(text string) { fmt.Println(text) }, Progress: func(l train.LogLine) {
		if loss := l.Loss["drawings"]; l.Step%100 == 0 && loss != nil {
			fmt.Printf("step %d of %d  loss %.3f\n", l.Step, config.Steps, *loss)
		}
	}})
	if err != nil {
		return "", err
	}
	return result.Checkpoint, nil
}

// makeVocabulary learns from the sentences of a folder of drawings, and from those that show nothing.
func makeVocabulary(folder, out string) error {
	var sentences []string
	drawings := 0
	if err := readRows(folder, func(r row) {
		if drawings++; drawings <= vocabularyDrawings {
			sentences = append(sentences, r.Captions...)
		}
	}); err != nil {
		return err
	}
	plain, err := readPlain(folder)
	if err != nil {
		return err
	}
	merges, err := learnMerges(append(sentences, plain...), vocabularyMerges)
	if err != nil {
		return err
	}
	return os.WriteFile(out, merges, 0o666)
}

// pack writes a checkpoint as a model folder in half precision.
func pack(ctx context.Context, checkpoint, out string) error {
	file, err := weights.Open(ctx, filepath.Join(checkpoint, weightsName))
	if err != nil {
		return err
	}
	defer file.Close()
	var tensors []weights.Tensor
	for _, name := range file.Names() {
		values, err := file.Float32(name)
		if err != nil {
			return err
		}
		_, shape, _ := file.Info(name)
		var halves []byte
		for _, v := range values {
			halves = binary.LittleEndian.AppendUint16(halves, weights.FloatToHalf(v))
		}
		tensors = append(tensors, weights.Tensor{Name: name, DType: weights.F16, Shape: shape, Data: halves})
	}
	if err := os.MkdirAll(out, 0o777); err != nil {
		return err
	}
	for _, name := range []string{vocabularyName, shapeName} {
		text, err := os.ReadFile(filepath.Join(checkpoint, name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(out, name), text, 0o666); err != nil {
			return err
		}
	}
	f, err := os.Create(filepath.Join(out, weightsName))
	if err != nil {
		return err
	}
	if err := weights.Write(f, tensors, map[string]string{"made_by": "tools/democlip"}); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

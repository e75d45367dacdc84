package lesson

// The held-out drawings as a captioning task that `mmc4 eval` runs: COCO's files in Karpathy's form, a task file and a config.

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

const taskFile = `# Captions of drawings, worded as they were learnt.
name: drawings
title: Drawings
kind: caption
metric: cider
format: karpathy
train: {annotations: dataset_coco.json, split: train, images: "{filepath}/{filename}"}
test: {annotations: dataset_coco.json, split: test, images: "{filepath}/{filename}"}
prompt:
  demonstration: "<image>{caption}<|endofchunk|>"
  query: "<image>"
postprocess: [caption, unquote]
decoding: {max_new_tokens: 24, beams: 3, length_penalty: 0}
`

const evaluationConfig = `model: {config: %q, vision: %q, lm: %q, flamingo: %q, tokenizer: %q}
tasks: [{task: drawings.yaml, data: data}]
shots: [0, 2, 4]
samples: %d
batch: 32
out: ` + resultsName + "\n"

// WriteEvaluation writes DIR/eval for the model of a finished lesson: data/, drawings.yaml and eval.yaml, whose path it gives.
// Demonstrations come from what was learnt, questions are samples of the held-out drawings.
func WriteEvaluation(o Options, result *Result, samples int) (string, error) {
	learnt, err := readDrawings(o.Drawings)
	if err != nil {
		return "", err
	}
	held, err := readDrawings(o.Held)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(o.Dir, "eval")
	k := karpathy{dir: filepath.Join(dir, "data")}
	if err := k.add("train2014", "train", learnt[:min(len(learnt), 512)]); err != nil {
		return "", err
	}
	if err := k.add("val2014", "test", held); err != nil {
		return "", err
	}
	list, err := json.Marshal(map[string]any{"images": k.images, "dataset": "drawings"})
	if err != nil {
		return "", err
	}
	flamingo := filepath.Join(o.Dir, flamingoName, filepath.Base(result.Flamingo.Checkpoint)) // the folder may have moved since
	paths := []string{filepath.Join(flamingo, "config.json"), o.CLIP, filepath.Join(o.Dir, textName, filepath.Base(result.Text.Checkpoint)),
		filepath.Join(flamingo, "model.safetensors"), filepath.Join(o.Dir, tokenizerName)}
	for i := range paths { // the config's own folder is where its relative paths begin
		if paths[i], err = filepath.Abs(paths[i]); err != nil {
			return "", err
		}
	}
	path := filepath.Join(dir, "eval.yaml")
	config := fmt.Sprintf(evaluationConfig, paths[0], paths[1], paths[2], paths[3], paths[4], samples)
	if old, err := os.ReadFile(path); err == nil && string(old) != config {
		if err := os.RemoveAll(filepath.Join(dir, resultsName)); err != nil { // of other questions
			return "", err
		}
	}
	for name, text := range map[string][]byte{"data/dataset_coco.json": list, "drawings.yaml": []byte(taskFile), "eval.yaml": []byte(config)} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o666); err != nil {
			return "", err
		}
	}
	return path, nil
}

// karpathy collects the split file while it writes pictures.
type karpathy struct {
	dir       string
	images    []any
	sentences int
}

func (k *karpathy) add(folder, split string, drawings []drawing) error {
	if err := os.MkdirAll(filepath.Join(k.dir, folder), 0o777); err != nil {
		return err
	}
	for i := range drawings {
		file, _, err := drawings[i].png()
		if err != nil {
			return err
		}
		id := len(k.images) + 1
		name := fmt.Sprintf("COCO_%s_%012d.png", folder, id)
		if err := os.WriteFile(filepath.Join(k.dir, folder, name), file, 0o666); err != nil {
			return err
		}
		var sentences []any
		for _, c := range drawings[i].Captions {
			sentences = append(sentences, map[string]any{"raw": c, "sentid": k.sentences})
			k.sentences++
		}
		k.images = append(k.images, map[string]any{"filepath": folder, "filename": name, "split": split, "imgid": id - 1, "cocoid": id, "sentences": sentences})
	}
	return nil
}

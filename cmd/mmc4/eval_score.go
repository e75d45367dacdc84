package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"slices"

	"mmc4/eval/formats"
	"mmc4/eval/metric"
	"mmc4/eval/score"
	"mmc4/eval/task"
	"mmc4/internal/imaging"
	"mmc4/internal/storage"
	"mmc4/kernels"
	"mmc4/models/clip"
	"mmc4/pipeline"
)

type evalScoreCmd struct {
	common
	Metric      []string `required:"" enum:"cider,bleu,rouge,vqa,auc,top1,clip" help:"What to compute: cider, bleu, rouge, vqa, auc, top1, clip." placeholder:"NAME,..."`
	Compat      bool     `help:"VQA accuracy as open_flamingo 2.0.1 computes it (differs where answers have no answer_id: VizWiz)."`
	Positive    string   `help:"Label of the positive class for auc (default: 1 or yes)." placeholder:"LABEL"`
	PerExample  bool     `help:"Print a record for every example too."`
	CLIP        string   `name:"clip" help:"For clip: a CLIP model, demo or a folder." placeholder:"DIR"`
	Images      string   `help:"For clip: where an example's picture is; {id} stands for its id, {id:012} with zeros." placeholder:"PATTERN"`
	Device      string   `help:"For clip: where to compute: auto, ref, cpu or cuda." default:"auto" placeholder:"NAME"`
	Seed        uint64   `help:"Seed of the bootstrap." default:"1"`
	Predictions string   `arg:"" help:"JSON list or JSON lines: an id (question_id, image_id, id) and what was predicted (caption, answer, prediction; score for auc)." type:"existingfile"`
	References  string   `arg:"" help:"COCO captions, VQA annotations, a Karpathy split, or JSON lines with references, answers or label." type:"existingfile"`
}

func (evalScoreCmd) Help() string {
	return `Scores any file of captions or answers as the official programs do, without Java and in a fraction of their time. METEOR and
SPICE are not here. Examples that are missing, unknown, contradicting or broken are named and left out (exit code 3).

Example:
  mmc4 eval score --metric cider,bleu,rouge captions.json captions_val2014.json
  mmc4 eval score --metric vqa answers.json v2_mscoco_val2014_annotations.json
  mmc4 eval score --metric clip --clip models/clip --images 'val2014/COCO_val2014_{id:012}.jpg' captions.json captions_val2014.json`
}

// picture reads the picture of an example.
func (c *evalScoreCmd) picture(ctx context.Context, id formats.ID) (*imaging.RGB, error) {
	location, err := task.Fill(c.Images, map[string]string{"id": string(id)})
	if err != nil {
		return nil, err
	}
	ref, err := storage.Locate(ctx, location, storage.Options{})
	if err != nil {
		return nil, err
	}
	data, err := storage.ReadFile(ctx, ref.Store, ref.Name)
	if err != nil {
		return nil, err
	}
	picture, err := imaging.Decode(data, imaging.Limits{})
	if err != nil {
		return nil, err
	}
	return picture.RGB(), nil
}

// collectLess makes collecting garbage rarer until the function that it returns is called: two files are read whole, and then it is
// over. Scoring small ones, which takes some ten bytes for each of theirs, is done before collecting would free anything.
func (c *evalScoreCmd) collectLess() (restore func()) {
	const small, room = 64 << 20, 1 << 30
	percent, limit := 400, debug.SetMemoryLimit(-1)
	if fileSize(c.Predictions)+fileSize(c.References) < small && c.CLIP == "" {
		percent = -1 // none below the limit
		debug.SetMemoryLimit(min(limit, room))
	}
	before := debug.SetGCPercent(percent)
	return func() {
		debug.SetGCPercent(before)
		debug.SetMemoryLimit(limit)
	}
}

// fileSize is 0 for what cannot be read, which whoever reads it says.
func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// scoreRecord is one metric as JSON; a value that is undefined is null.
type scoreRecord struct {
	Metric   string           `json:"metric"`
	Value    *float64         `json:"value"`
	Interval *metric.Interval `json:"interval,omitempty"`
	Examples int              `json:"examples"`
	Note     string           `json:"note,omitempty"`
}

func (c *evalScoreCmd) Run(ctx context.Context, o *output) error {
	options := score.Options{Metrics: c.Metric, Compat: c.Compat, Positive: c.Positive, Seed: c.Seed}
	if slices.Contains(c.Metric, "clip") {
		if c.CLIP == "" || c.Images == "" {
			return usagef("--metric clip needs --clip and --images")
		}
		if _, err := task.Fill(c.Images, map[string]string{"id": ""}); err != nil {
			return usagef("--images: %w", err)
		}
		model, dev, err := openCLIP(ctx, c.CLIP, c.Device, clip.Options{DType: kernels.F32})
		if err != nil {
			return err
		}
		defer dev.Close()
		defer model.Close()
		options.CLIP, options.Picture = model, c.picture
	}
	defer c.collectLess()()
	r, err := score.Files(ctx, c.Predictions, c.References, options)
	if err != nil {
		return err
	}
	if c.PerExample {
		for _, e := range r.Examples() {
			words := string(e.ID)
			for _, v := range r.Values {
				if x, ok := e.Scores[v.Name]; ok {
					words += fmt.Sprintf("  %s %.2f", v.Name, x)
				}
			}
			if err := o.record(c.JSON, struct {
				ID     any                `json:"id"`
				Scores map[string]float64 `json:"scores"`
			}{e.ID, e.Scores}, words); err != nil {
				return err
			}
		}
	}
	for _, v := range r.Values {
		record := scoreRecord{v.Name, &v.Value, v.Interval, v.Examples, v.Note}
		words := fmt.Sprintf("%-14s %8.2f", v.Name, v.Value)
		if math.IsNaN(v.Value) {
			record.Value = nil
			words = fmt.Sprintf("%-14s %8s", v.Name, "-")
		}
		if v.Interval != nil {
			words += fmt.Sprintf("   95%% %.2f .. %.2f", v.Interval.Low, v.Interval.High)
		}
		words += fmt.Sprintf("   %d examples", v.Examples)
		if v.Note != "" {
			words += "   (" + v.Note + ")"
		}
		if err := o.record(c.JSON, record, words); err != nil {
			return err
		}
	}
	if c.JSON {
		if err := o.record(true, struct {
			Problems score.Problems `json:"problems"`
		}{r.Problems}, ""); err != nil {
			return err
		}
	}
	if words := r.Problems.String(); words != "" {
		o.say(c.JSON, "%s", words)
	}
	if n := r.Problems.LeftOut(); n > 0 {
		return fmt.Errorf("%d examples were left out, see above: %w", n, pipeline.ErrPartial)
	}
	return nil
}

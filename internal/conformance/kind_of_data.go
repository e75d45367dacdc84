package conformance

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	"mmc4/models/tokenizer"
	"mmc4/models/weights"
	"mmc4/train/data"
)

func init() {
	register("of.interleaved", checkInterleaved)
	register("of.pairs", checkPairs)
}

// sequenceRun is one run of a case: a tokenizer and the limits.
type sequenceRun struct {
	Assignment string            `json:"assignment"`
	Tokenizer  string            `json:"tokenizer"`
	Special    map[string]string `json:"special_tokens"`
	Threshold  float64           `json:"sim_threshold"`
	MinImages  int               `json:"min_num_images"`
	MaxImages  int               `json:"max_num_images"`
	MaxTokens  int               `json:"max_tokens"`
}

func (run sequenceRun) tokens(c *Case) (*data.Tokens, error) {
	t, err := tokenizer.Load(c.Path(run.Tokenizer))
	if err != nil {
		return nil, err
	}
	return data.NewTokens(t, run.Special["eos_token"], run.Special["pad_token"])
}

// checkInterleaved makes every document's sequence with the recorded draws.
func checkInterleaved(ctx context.Context, env *Env, c *Case, r *Report) error {
	var in struct {
		Config struct {
			Runs map[string]sequenceRun `json:"runs"`
		} `json:"config"`
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	documents, err := readDocuments(c.Path("documents.jsonl"))
	if err != nil {
		return err
	}
	var expected map[string][]struct {
		Accepted bool      `json:"accepted"`
		Reason   string    `json:"reason"`
		Slots    []*string `json:"slots"`
		Flipped  bool      `json:"flipped"`
		Keep     *float64  `json:"keep_draw"`
		Flip     *float64  `json:"flip_draw"`
		Compare  *bool     `json:"compare"`
	}
	text, err := os.ReadFile(c.Path("expected.json"))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &expected); err != nil {
		return err
	}
	file, err := c.Tensors()
	if err != nil {
		return err
	}
	defer file.Close()
	dump := env.DumpOf(c)
	for name, run := range in.Config.Runs {
		tokens, err := run.tokens(c)
		if err != nil {
			return err
		}
		rules := &data.Rules{Tokens: tokens, Assignment: data.Assignment(run.Assignment), MinSimilarity: run.Threshold, MinImages: run.MinImages,
			MaxImages: run.MaxImages, MaxTokens: run.MaxTokens, MinBytes: 11000, DropSingle: 0.5, Compat: true}
		var ids, mask []int64
		for i, d := range documents {
			want := expected[name][i]
			draws := data.Draws{Keep: 1, Flip: 1}
			if want.Keep != nil {
				draws.Keep = *want.Keep
			}
			if want.Flip != nil {
				draws.Flip = *want.Flip
			}
			sample := rules.Make(ctx, d, draws)
			label := fmt.Sprintf("%s, document %d", name, i)
			row := make([]int64, 2*run.MaxTokens)
			tie := want.Compare != nil && !*want.Compare
			switch {
			case tie:
				copyRow(file, name, i, run.MaxTokens, row)
			case sample.Dropped != nil:
				r.Equal(label+" dropped", sample.Dropped.Rule, want.Reason)
			case !want.Accepted:
				r.Failf("%s: accepted, want %s", label, want.Reason)
			default:
				r.Equal(label+" flipped", sample.Flipped, want.Flipped)
				r.Equal(label+" pictures", pictureHashes(ctx, d, sample, run.MaxImages), want.Slots)
				b := data.NewBatch([]*data.Sample{sample}, tokens.Pad, run.MaxTokens, run.MaxImages)
				for j, id := range b.IDs {
					row[j], row[run.MaxTokens+j] = int64(id), int64(b.Mask[j])
				}
			}
			ids, mask = append(ids, row[:run.MaxTokens]...), append(mask, row[run.MaxTokens:]...)
		}
		if err := equalIDs(r, dump, file, "out."+name+".input_ids", ids, run.MaxTokens); err != nil {
			return err
		}
		if err := equalIDs(r, dump, file, "out."+name+".attention_mask", mask, run.MaxTokens); err != nil {
			return err
		}
	}
	return dump.Close()
}

// copyRow takes the expected row of a document that is not compared.
func copyRow(file *weights.File, name string, i, length int, row []int64) {
	for k, part := range []string{"input_ids", "attention_mask"} {
		if want, err := file.Int64("out." + name + "." + part); err == nil {
			copy(row[k*length:], want[i*length:(i+1)*length])
		}
	}
}

// pictureHashes are the SHA-256 of the files in the slots of a sample.
func pictureHashes(ctx context.Context, d *data.Document, s *data.Sample, slots int) []*string {
	out := make([]*string, slots)
	for k, p := range s.Images {
		bytes, err := d.Images[p.Index].Load(ctx)
		if err != nil {
			continue
		}
		sum := sha256.Sum256(bytes)
		text := hex.EncodeToString(sum[:])
		out[k] = &text
	}
	return out
}

func readDocuments(path string) ([]*data.Document, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var documents []*data.Document
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		d, err := data.ParseDocument(lines.Bytes(), strconv.Itoa(len(documents)))
		if err != nil {
			return nil, err
		}
		documents = append(documents, d)
	}
	return documents, lines.Err()
}

// checkPairs makes the sequences of batches of captions.
func checkPairs(_ context.Context, env *Env, c *Case, r *Report) error {
	var in struct {
		Config struct {
			Batches [][]string             `json:"batches"`
			Runs    map[string]sequenceRun `json:"runs"`
		} `json:"config"`
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	file, err := c.Tensors()
	if err != nil {
		return err
	}
	defer file.Close()
	dump := env.DumpOf(c)
	for name, run := range in.Config.Runs {
		tokens, err := run.tokens(c)
		if err != nil {
			return err
		}
		pairs := &data.Pairs{Tokens: tokens, MaxTokens: run.MaxTokens, Compat: true}
		for i, captions := range in.Config.Batches {
			var samples []*data.Sample
			for _, caption := range captions {
				ids := pairs.IDs(caption)
				samples = append(samples, &data.Sample{IDs: ids, Labels: data.PairLabels(ids, tokens.Media, tokens.Pad)})
			}
			b := data.NewBatch(samples, tokens.Pad, 0, 1)
			var ids, mask []int64
			for j, id := range b.IDs {
				ids, mask = append(ids, int64(id)), append(mask, int64(b.Mask[j]))
			}
			at := fmt.Sprintf("out.%s.%d.", name, i)
			if err := equalIDs(r, dump, file, at+"input_ids", ids, b.Len); err != nil {
				return err
			}
			if err := equalIDs(r, dump, file, at+"attention_mask", mask, b.Len); err != nil {
				return err
			}
		}
	}
	return dump.Close()
}

// equalIDs compares rows of ids exactly.
func equalIDs(r *Report, dump *Dump, file *weights.File, name string, got []int64, length int) error {
	want, err := file.Int64(name)
	if err != nil {
		return err
	}
	dump.Int64(name, got, len(got)/max(length, 1), length)
	r.Equal(name, got, want)
	return nil
}

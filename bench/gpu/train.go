package gpu

// Training from the build's shards over S3: the device's curve beside cpu's, and captions.

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"mmc4/internal/storage"
)

func (r *run) train() {
	run, lesson := filepath.Join(r.Dir, "demo-0", "run"), filepath.Join(r.Dir, "lesson")
	steps, drawings, held, text := "200", "8000", "256", "400"
	if r.tiny() {
		steps, drawings, held, text = "4", "64", "8", "4"
	}
	if _, err := os.Stat(filepath.Join(run, "manifest.json")); err != nil {
		r.build()
	}
	r.check("captions", func(l *Line) error {
		cmd := exec.CommandContext(r.ctx, r.Program, "demo", "train", "--json", "--out", lesson, "--run", run, "--device", r.Device,
			"--steps", steps, "--drawings", drawings, "--held", held, "--text-steps", text)
		var said bytes.Buffer
		cmd.Stderr = &said
		out, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("%w: %s", err, tail(said.Bytes()))
		}
		var result struct {
			Scores []struct {
				Shots                      int
				Accuracy, Chance, Shuffled float64
			} `json:"scores"`
		}
		if err := json.Unmarshal(out, &result); err != nil {
			return err
		}
		for _, s := range result.Scores {
			l.Figures[fmt.Sprintf("right after %d examples", s.Shots)] = s.Accuracy
			l.Figures[fmt.Sprintf("with exchanged pictures after %d", s.Shots)] = s.Shuffled
			l.Figures["chance"] = s.Chance
		}
		return nil
	})
	r.check("curve from S3", func(l *Line) error { return r.curve(l, run, filepath.Join(lesson, "flamingo.yaml"), steps) })
}

// curve trains twice on the same documents, on the device and on cpu, and compares the losses.
func (r *run) curve(l *Line, run, config, steps string) error {
	backend := s3mem.New()
	if err := backend.CreateBucket("gpu"); err != nil {
		return err
	}
	server := httptest.NewServer(gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server())
	defer server.Close()
	environment := map[string]string{"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "us-east-1",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull}
	for key, value := range environment { // for this process too, which uploads the shards
		if err := os.Setenv(key, value); err != nil {
			return err
		}
	}
	if err := r.upload(filepath.Join(run, "docs"), "s3://gpu/run/docs"); err != nil {
		return err
	}
	var losses [2][]float64
	for i, device := range []string{r.Device, "cpu"} {
		cmd := exec.CommandContext(r.ctx, r.Program, "train", config, "--json", "--device", device, "--out", fmt.Sprintf("s3://gpu/train-%d", i),
			"--set", "steps="+steps, "--set", "streams.1.paths=['s3://gpu/run/docs/*.parquet']")
		var said bytes.Buffer
		cmd.Stderr = &said
		out, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("on %s: %w: %s", device, err, tail(said.Bytes()))
		}
		losses[i] = lossesOf(out)
	}
	mine, cpu := losses[0], losses[1]
	if len(mine) == 0 || len(mine) != len(cpu) {
		return fmt.Errorf("%d steps on the device, %d on cpu", len(mine), len(cpu))
	}
	first, all := 0.0, 0.0
	for i := range mine {
		off := math.Abs(mine[i]-cpu[i]) / math.Abs(cpu[i])
		if all = max(all, off); i < 20 {
			first = max(first, off)
		}
	}
	n := len(mine)
	l.Figures["steps"], l.Figures["loss at the end"], l.Figures["cpu's"] = float64(n), mine[n-1], cpu[n-1]
	l.Figures["largest relative difference, 20 steps"], l.Figures["largest relative difference"] = first, all
	const limit = 1e-2 // fp32 on both; sums in other orders drift apart as training goes on
	if !(first <= limit) {
		return fmt.Errorf("the curves part within 20 steps: by %.3g of the loss, %.3g is allowed", first, limit)
	}
	return nil
}

// lossesOf reads the losses of the second stream from the lines of mmc4 train.
func lossesOf(out []byte) (losses []float64) {
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var l struct {
			Step int                 `json:"step"`
			Loss map[string]*float64 `json:"loss"`
			Out  string              `json:"out"` // of the result
		}
		if json.Unmarshal(lines.Bytes(), &l) == nil && l.Step > 0 && l.Out == "" && l.Loss["documents"] != nil {
			losses = append(losses, *l.Loss["documents"])
		}
	}
	return losses
}

// upload copies the Parquet files of a folder.
func (r *run) upload(folder, to string) error {
	store, err := storage.Open(r.ctx, to, storage.Options{})
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.parquet"))
	if err != nil || len(files) == 0 {
		return errors.Join(fmt.Errorf("no shards in %s: the build phase comes first", folder), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := storage.WriteFile(r.ctx, store, filepath.Base(file), data); err != nil {
			return err
		}
	}
	return nil
}

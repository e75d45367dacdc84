package gpu

// mmc4 golden on the device: every case of a model is a check.

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// modelKinds are the kinds of goldens that compute on the device.
const modelKinds = "clip.hf,clip.image,clip.text,clip.train,nsfw.head,face.probe,lm.*,flamingo*"

// golden is what is read of mmc4 golden's lines.
type golden struct {
	Status string   `json:"status"`
	Kind   string   `json:"kind"`
	Name   string   `json:"name"`
	Inner  int      `json:"cases"`
	Worst  float64  `json:"worst"`
	Why    []string `json:"why"`
}

func (r *run) models() {
	for _, dtype := range []string{"fp32", "bf16"} {
		ran := 0
		r.check("golden "+dtype, func(l *Line) error {
			if len(r.Goldens) == 0 {
				return skip("no goldens were given")
			}
			args := append([]string{"golden", "--json", "--device", r.Device, "--dtype", dtype, "--kinds", modelKinds}, r.Goldens...)
			cmd := exec.CommandContext(r.ctx, r.Program, args...)
			var said bytes.Buffer
			cmd.Stderr = &said
			out, err := cmd.StdoutPipe()
			if err != nil {
				return err
			}
			if err := cmd.Start(); err != nil {
				return err
			}
			failed := 0
			lines := bufio.NewScanner(out)
			lines.Buffer(nil, 1<<20)
			for lines.Scan() {
				var g golden
				if json.Unmarshal(lines.Bytes(), &g) != nil {
					continue
				}
				ran++
				if g.Status == "FAIL" {
					failed++
				}
				r.check(dtype+" "+g.Kind+" "+g.Name, func(l *Line) error { return g.into(l) })
			}
			l.Figures["cases"], l.Figures["failed cases"] = float64(ran), float64(failed)
			if err := cmd.Wait(); err != nil && failed == 0 { // it ended in another way
				return fmt.Errorf("%w: %s", err, tail(said.Bytes()))
			}
			if ran == 0 {
				return errors.New("no case ran")
			}
			return nil
		})
	}
}

func (g golden) into(l *Line) error {
	l.Of = "worst error over tolerance"
	l.Figures["comparisons"], l.Figures[l.Of] = float64(g.Inner), g.Worst
	switch g.Status {
	case "ok":
		return nil
	case "skip":
		return skip(strings.Join(g.Why, "; "))
	}
	return errors.New(strings.Join(g.Why, "; "))
}

package bench

// The in-context benchmark of a tiny Flamingo that open_flamingo saved: whole evaluations of captions and questions.

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"mmc4/eval"
	"mmc4/eval/mini"
	"mmc4/eval/model"
)

var evalRows = []Row{evalRow(0, 0), evalRow(4, 4)}

const (
	evalCompared = 200 // captions, and as many questions, whose prompts and answers are compared
	evalTimed    = 16  // of each in a measured run
)

func evalRow(shots int, bar float64) Row {
	return Row{Name: fmt.Sprintf("eval.flamingo-%dshot", shots), Bar: bar, Peer: "open_flamingo 2.0.1",
		Input: fmt.Sprintf("captions and questions after %d shots, a tiny Flamingo, three beams", shots),
		Open: func(ctx context.Context, lab *Lab) (*Contest, error) {
			e := &evaluation{ctx: ctx, lab: lab, shots: shots, data: lab.Path("data"), model: lab.Path("model")}
			if err := mini.WriteSized(e.data, 240, evalCompared); err != nil {
				return nil, err
			}
			peer, err := lab.Python("eval_peer.py", args{"model": e.model, "data": e.data, "shots": shots, "all": evalCompared, "timed": evalTimed})
			if err != nil {
				return nil, err
			}
			agree := func() (string, error) {
				data, err := peer.Output(lab)
				if err != nil {
					return "", err
				}
				return e.agree(data)
			}
			timed := func() error { _, err := e.ask(evalTimed); return err }
			return &Contest{Unit: "samples/s", Work: 2 * evalTimed, Ours: self{run: timed}, Theirs: peer, Agree: agree}, nil
		}}
}

// evaluation is our side.
type evaluation struct {
	ctx         context.Context
	lab         *Lab
	shots       int
	data, model string
}

// ask is `mmc4 eval` from the config to the report, loading the model anew.
func (e *evaluation) ask(samples int) (lines []byte, err error) {
	out, err := os.MkdirTemp(e.lab.Dir, "out-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(out)
	config, err := eval.ParseConfig("bench", fmt.Appendf(nil, `
model: %s
tasks: [{task: coco, data: %s}, {task: vqav2, data: %s}]
shots: [%d]
pool: 100
samples: %d
compat: open_flamingo-2.0
device: cpu
`, e.model, filepath.Join(e.data, "coco"), filepath.Join(e.data, "vqav2"), e.shots, samples))
	if err != nil {
		return nil, err
	}
	config.Out = out
	var m *model.Flamingo
	_, err = eval.Run(e.ctx, config, eval.Options{Open: func(ctx context.Context, images func(string) ([]byte, error)) (eval.Model, error) {
		m, err = model.Load(ctx, config.Model, model.Options{Device: config.Device, DType: config.DType, Compat: true}, images)
		return m, err
	}})
	if m != nil {
		m.Close()
	}
	if err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(out, "predictions.jsonl"))
}

// answered is what both sides say of an example.
type answered struct {
	ID, Prompt, Generated string
}

// agree compares all prompts and answers, in order.
func (e *evaluation) agree(theirs []byte) (string, error) {
	var peer []answered
	if err := json.Unmarshal(theirs, &peer); err != nil {
		return "", err
	}
	lines, err := e.ask(evalCompared)
	if err != nil {
		return "", err
	}
	scanner := bufio.NewScanner(bytes.NewReader(lines))
	scanner.Scan() // the file's header
	different := map[string]bool{}
	for i, p := range peer {
		if !scanner.Scan() {
			return "", errors.Join(fmt.Errorf("outputs differ: %d answers, the peer has %d", i, len(peer)), scanner.Err())
		}
		var o eval.Record
		if err := json.Unmarshal(scanner.Bytes(), &o); err != nil {
			return "", err
		}
		if mine := (answered{string(o.ID), o.Prompt, o.Generated}); mine != p {
			return "", fmt.Errorf("outputs differ: example %d is %q, the peer has %q", i, mine, p)
		}
		different[o.Generated] = true
	}
	return fmt.Sprintf("%d prompts and answers equal, %d different ones", len(peer), len(different)), nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"mmc4/kernels"
	"mmc4/kernels/device"
	"mmc4/models/lm/text"
)

// dtypes are the number types that --dtype takes.
var dtypes = map[string]kernels.DType{"fp32": kernels.F32, "bf16": kernels.BF16, "int8": kernels.I8}

type generateCmd struct {
	common
	Model       string  `help:"Folder of a language model: config.json, weights, tokenizer." placeholder:"DIR" required:"" type:"path"`
	MaxNew      int     `help:"The most new tokens." default:"128" placeholder:"N"`
	Beams       int     `help:"Beam search with so many beams." placeholder:"N"`
	Temperature float64 `help:"Draw tokens, the more freely the higher." placeholder:"T"`
	TopK        int     `name:"top-k" help:"Draw among the K likeliest tokens." placeholder:"K"`
	TopP        float64 `name:"top-p" help:"Draw among the likeliest tokens that hold the share P." placeholder:"P"`
	Seed        uint64  `help:"Of the drawing: the same seed, the same text." default:"0"`
	Device      string  `help:"Where to compute: auto, ref, cpu or cuda." default:"auto" placeholder:"NAME"`
	DType       string  `name:"dtype" help:"Number type: fp32, bf16 or int8." default:"fp32" enum:"fp32,bf16,int8"`
	Check       bool    `help:"Look for NaN and infinity in the weights first."`
	Prompt      string  `arg:"" optional:"" help:"What is to be continued; standard input when it is left out."`
}

func (generateCmd) Help() string {
	return `Continues a text with a language model (LLaMA, MPT, GPT-NeoX, OPT, GPT-2). Without --beams, --temperature, --top-k and --top-p the
likeliest token is taken each time. Only the continuation is printed, as it comes. A prompt from standard input loses one line end.

Example:
  mmc4 generate --model models/gpt2 --max-new 40 --top-p 0.9 --seed 7 'The picture shows'`
}

func (c *generateCmd) Run(ctx context.Context, o *output) error {
	prompt := c.Prompt
	if prompt == "" {
		data, err := io.ReadAll(os.Stdin)
		if err != nil {
			return fmt.Errorf("reading the prompt from standard input: %w", err)
		}
		prompt = strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	}
	dev, err := device.Open(c.Device)
	if err != nil {
		return err
	}
	defer dev.Close()
	m, err := text.Load(ctx, c.Model, dev, text.Options{DType: dtypes[c.DType], Check: c.Check})
	if err != nil {
		return err
	}
	defer m.Close()
	for _, note := range m.Notes {
		fmt.Fprintln(o.err, "note: "+note)
	}
	emit := func(piece string) error {
		_, err := io.WriteString(o.out, piece)
		return err
	}
	if c.JSON {
		emit = nil
	}
	r, err := m.Continue(ctx, prompt, text.Choice{MaxNew: c.MaxNew, Beams: c.Beams, Temperature: c.Temperature, TopK: c.TopK, TopP: c.TopP, Seed: c.Seed}, emit)
	if errors.Is(err, text.ErrUsage) {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	if err := o.record(c.JSON, r, ""); err != nil {
		return err
	}
	fmt.Fprintf(o.err, "%d tokens after %d in %.2f s\n", r.Tokens, r.PromptTokens, r.Seconds)
	return nil
}

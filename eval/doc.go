// Package eval measures a Flamingo-style model by showing it 0, 4, 8, ... examples and asking for one more (the in-context
// benchmark). It reads a config (config.go), tasks and their data sets (package task), chooses demonstrations (package
// sampling), asks a Model batch by batch (run.go), keeps every answer in a journal that survives kill -9 (journal.go),
// scores (results.go) and writes results.json, predictions.jsonl, report.html and files for test servers.
//
// What it asks of a model is the small interface below; package eval/model answers it with models/flamingo.
package eval

import (
	"context"
	"errors"

	"mmc4/eval/task"
)

// Query is one prompt with its pictures, in the order of the <image> tokens in the text. Pictures are named by path.
type Query struct {
	Text   string
	Images []string
	Shared bool // other queries of the run begin with the same demonstrations
}

// Model answers queries. Pictures must have been seen first.
type Model interface {
	// See reads and encodes pictures and remembers them for the run; those it has seen already cost nothing. The map says
	// which could not be read, and why.
	See(ctx context.Context, images []string) (map[string]error, error)
	// Generate continues each query; special tokens are left out of what it returns.
	Generate(ctx context.Context, queries []Query, d task.Decoding) ([]string, error)
	// Rank gives each class's mean log-probability per token after each query [queries][classes].
	Rank(ctx context.Context, queries []Query, classes []string) ([][]float64, error)
}

// Errors by what the caller should do about them.
var (
	ErrUsage   = errors.New("wrong config")                     // the config, a task file, or what they name
	ErrRefused = errors.New("refused")                          // the folder holds another evaluation, or is in use
	ErrPartial = errors.New("some examples could not be asked") // they are named in results.json
)

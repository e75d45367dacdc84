// Command democlip makes the CLIP that is embedded in the program, from drawings, with our own trainer, and measures one.
//
//	democlip draw [-seed N] [-n N] DIR    drawings with sentences, as `mmc4 train` reads them
//	democlip make WORK OUT                draws, trains configs/demo-clip.yaml, writes the model to OUT; goes on where it stopped
//	democlip measure MODEL DRAWINGS       how well a model finds the sentences of drawings that it was not trained on
//	democlip vocabulary DRAWINGS FILE     learns the merge table that the config names
//
// It is run from the root of the repository.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"mmc4/internal/demo"
)

var errUsage = errors.New("usage: democlip draw [-seed N] [-n N] DIR | make WORK OUT | measure MODEL DRAWINGS | vocabulary DRAWINGS FILE")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "democlip:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	switch verb, rest := args[0], args[1:]; {
	case verb == "draw":
		flags := flag.NewFlagSet("draw", flag.ContinueOnError)
		seed := flags.Uint64("seed", trainingSeed, "seed of the drawings; the demo's own web has seed 1")
		n := flags.Int("n", trainingDrawings, "number of pictures")
		if err := flags.Parse(rest); err != nil || flags.NArg() != 1 || *n < 1 {
			return errors.Join(errUsage, err)
		}
		return demo.DrawTraining(flags.Arg(0), *seed, *n)
	case verb == "make" && len(rest) == 2:
		return makeModel(ctx, rest[0], rest[1])
	case verb == "vocabulary" && len(rest) == 2:
		return makeVocabulary(rest[0], rest[1])
	case verb == "measure" && len(rest) == 2:
		return measure(ctx, rest[0], rest[1])
	}
	return errUsage
}

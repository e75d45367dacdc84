// Command evalmini writes miniature data sets of the eight evaluation tasks, a tiny model of random weights, and a config that
// runs the one on the others: DIR/TASK, DIR/model, DIR/eval.yaml. It is to be run in the repository's root, which has the weights.
//
// usage: evalmini DIR TRAINING TESTS
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"mmc4/eval/mini"
	"mmc4/eval/task"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "evalmini:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("usage: evalmini DIR TRAINING TESTS")
	}
	training, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	tests, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	if err := mini.WriteSized(args[0], training, tests); err != nil {
		return err
	}
	if err := mini.WriteModel(filepath.Join(args[0], "model"), filepath.Join("testdata", "golden", "flamingo.generate")); err != nil {
		return err
	}
	config := "model: model\nshots: [0, 4, 8]\nseeds: [1, 2]\nout: results\ntasks:\n"
	for _, name := range task.Names() {
		config += fmt.Sprintf("  - {task: %s, data: %s}\n", name, name)
	}
	return os.WriteFile(filepath.Join(args[0], "eval.yaml"), []byte(config), 0o644)
}

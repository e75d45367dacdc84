// Command evalmini writes miniature data sets of the eight evaluation tasks.
//
// usage: evalmini DIR TRAINING TESTS
package main

import (
	"fmt"
	"os"
	"strconv"

	"mmc4/eval/mini"
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
	return mini.WriteSized(args[0], training, tests)
}

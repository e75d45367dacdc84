// Command render writes bench/gpu/RESULTS.md from the records beside it: render FOLDER.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"mmc4/bench/gpu"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "render:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 2 {
		return fmt.Errorf("usage: render FOLDER")
	}
	f, err := os.Create(filepath.Join(os.Args[1], "RESULTS.md"))
	if err != nil {
		return err
	}
	defer f.Close()
	if err := gpu.Render(os.Args[1], f); err != nil {
		return err
	}
	return f.Close()
}

// Command draw writes the drawings that the demo CLIP is trained on: draw [-seed N] [-n N] DIR.
package main

import (
	"flag"
	"fmt"
	"os"

	"mmc4/internal/demo"
)

func main() {
	seed := flag.Uint64("seed", 1001, "seed of the drawings; the demo's own web has seed 1")
	n := flag.Int("n", 60000, "number of pictures")
	flag.Parse()
	if flag.NArg() != 1 || *n < 1 {
		fmt.Fprintln(os.Stderr, "usage: draw [-seed N] [-n N] DIR")
		os.Exit(2)
	}
	if err := demo.DrawTraining(flag.Arg(0), *seed, *n); err != nil {
		fmt.Fprintln(os.Stderr, "draw:", err)
		os.Exit(1)
	}
}

package pipeline

// The scale test: many documents within --memory, without embedding. It runs where MMC4_SCALE gives the number of
// documents; MMC4_SCALE_MEMORY the budget in MiB (512).

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestScale(t *testing.T) {
	documents, err := strconv.Atoi(os.Getenv("MMC4_SCALE"))
	if err != nil {
		t.Skip("MMC4_SCALE is not set")
	}
	memory := os.Getenv("MMC4_SCALE_MEMORY")
	if memory == "" {
		memory = "512"
	}
	w := newWorld(t, documents)
	out := t.TempDir()
	for _, stage := range Stages[:4] {
		started := time.Now()
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), childEnv+"="+out, "MMC4_TEST_WORLD="+w.dir, "MMC4_TEST_SERVER="+w.server.URL, "MMC4_TEST_STAGE="+stage,
			"MMC4_TEST_MEMORY="+memory)
		child.Stderr = os.Stderr
		peak, err := child.Output()
		if err != nil {
			t.Fatal(stage, err)
		}
		took := time.Since(started)
		cpu := child.ProcessState.UserTime() + child.ProcessState.SystemTime()
		t.Logf("%-8s %8.1f s, %6.1f s CPU, %6.1f us CPU a document, peak RSS %s", stage, took.Seconds(), cpu.Seconds(),
			float64(cpu.Microseconds())/float64(documents), strings.TrimSpace(string(peak)))
	}
}

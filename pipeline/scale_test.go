package pipeline

// The scale test: many documents within --memory, without embedding. It runs where MMC4_SCALE gives numbers of documents
// (50000,200000); MMC4_SCALE_MEMORY is the budget in MiB (512). docs/performance.md has what it prints.

import (
	"cmp"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// scaleSlack is what a process may take beside its budget: 512 MiB may become 620 MB.
const scaleSlack = 79 << 20

func TestScale(t *testing.T) {
	sizes := os.Getenv("MMC4_SCALE")
	if sizes == "" {
		t.Skip("MMC4_SCALE is not set: how many documents, such as 50000,200000?")
	}
	budget := cmp.Or(os.Getenv("MMC4_SCALE_MEMORY"), "512")
	memory, err := strconv.ParseInt(budget, 10, 64)
	if err != nil {
		t.Fatal("MMC4_SCALE_MEMORY: ", err)
	}
	for _, size := range strings.Split(sizes, ",") {
		t.Run(size, func(t *testing.T) {
			documents, err := strconv.Atoi(size)
			if err != nil {
				t.Fatal("MMC4_SCALE: ", err)
			}
			w := newWorld(t, documents)
			out := t.TempDir()
			for _, stage := range Stages[:4] {
				started := time.Now()
				child := exec.Command(os.Args[0])
				child.Env = append(os.Environ(), childEnv+"="+out, "MMC4_TEST_WORLD="+w.dir, "MMC4_TEST_SERVER="+w.server.URL, "MMC4_TEST_STAGE="+stage,
					"MMC4_TEST_MEMORY="+budget)
				child.Stderr = os.Stderr
				said, err := child.Output()
				if err != nil {
					t.Fatal(stage, err)
				}
				took := time.Since(started)
				cpu := child.ProcessState.UserTime() + child.ProcessState.SystemTime()
				number, _, _ := strings.Cut(strings.TrimSpace(string(said)), " ")
				peak, err := strconv.ParseInt(number, 10, 64)
				if err != nil {
					t.Fatalf("%s: no peak RSS in %q", stage, said)
				}
				t.Logf("%-8s %8.1f s, %6.1f s CPU, %6.1f us CPU a document, peak RSS %4.0f MB", stage, took.Seconds(), cpu.Seconds(),
					float64(cpu.Microseconds())/float64(documents), float64(peak)*1024/1e6)
				if peak<<10 > memory<<20+scaleSlack {
					t.Errorf("%s: peak RSS is %d KiB with a budget of %d MiB", stage, peak, memory)
				}
			}
		})
	}
}

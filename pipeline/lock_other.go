//go:build !unix

package pipeline

// Without flock(2) a run in a folder is not locked; tasks are still done once, by exclusive journal entries.

import (
	"fmt"
	"os"
)

func lockFile(dir string, shared bool) (func(), error) { return func() {}, nil }

func me() string {
	host, _ := os.Hostname()
	return fmt.Sprintf("process %d on %s", os.Getpid(), host)
}

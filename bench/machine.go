package bench

// What the figures were measured on.

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"

	"mmc4/kernels/device"
)

// Machine says it in a line.
func Machine() string {
	words := []string{fmt.Sprintf("%s, %d cores", processor(), runtime.NumCPU()), runtime.Version() + " " + runtime.GOARCH}
	for _, d := range device.List() {
		if d.Name == "cpu" && d.Err == nil {
			words = append(words, "kernels "+d.Profile)
		}
	}
	return strings.Join(append(words, "one thread, CPU time"), "; ")
}

// processor is its name, where the system tells.
func processor() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return runtime.GOOS
	}
	defer f.Close()
	said := map[string]string{}
	for lines := bufio.NewScanner(f); lines.Scan() && lines.Text() != ""; {
		key, value, _ := strings.Cut(lines.Text(), ":")
		said[strings.TrimSpace(key)] = strings.TrimSpace(value)
	}
	return fmt.Sprintf("%s (family %s, model %s)", said["model name"], said["cpu family"], said["model"])
}

package bench

// What the figures were measured on.

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

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

// idle is an Unavailable error when others use the cores: what threads gain can be seen on an idle machine only.
func idle() error {
	const watched, allowed = 500 * time.Millisecond, 0.05
	before, err := busyTime()
	if err != nil {
		return err
	}
	mine, err := cpuTime()
	if err != nil {
		return err
	}
	began := time.Now()
	time.Sleep(watched)
	after, err := busyTime()
	if err != nil {
		return err
	}
	spent, err := cpuTime()
	if err != nil {
		return err
	}
	share := (after - before - (spent - mine)).Seconds() / time.Since(began).Seconds() / float64(runtime.NumCPU())
	if share > allowed {
		return Unavailable{fmt.Sprintf("others use %.0f %% of this machine's cores, and %.0f %% are allowed: not measured; run it again when the machine is idle", 100*share, 100*allowed)}
	}
	return nil
}

// busyTime is the time that all cores have worked since the start of the system, theft by other virtual machines included (Linux).
func busyTime() (time.Duration, error) {
	data, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, Unavailable{"the system does not tell how busy it is: " + err.Error()}
	}
	var user, nice, system, idle, wait, irq, soft, steal int64
	if _, err := fmt.Sscanf(string(data), "cpu %d %d %d %d %d %d %d %d", &user, &nice, &system, &idle, &wait, &irq, &soft, &steal); err != nil {
		return 0, Unavailable{"/proc/stat does not tell how busy the system is: " + err.Error()}
	}
	const tick = time.Second / 100 // USER_HZ
	return time.Duration(user+nice+system+irq+soft+steal) * tick, nil
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

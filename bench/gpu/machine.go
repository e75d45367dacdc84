package gpu

// What the machine is: the first line of every phase.

import (
	"fmt"
	"os/exec"
	"strings"

	"mmc4/kernels/device"
)

func (r *run) machine() {
	r.check("machine", func(l *Line) error {
		dev, err := device.Open(r.Device)
		if err != nil {
			return err
		}
		defer dev.Close()
		l.Note = dev.Profile()
		smi := exec.CommandContext(r.ctx, "nvidia-smi", "--query-gpu=name,driver_version,memory.total,clocks.max.sm", "--format=csv,noheader")
		if out, err := smi.Output(); err == nil {
			l.Note += "; " + strings.TrimSpace(strings.ReplaceAll(string(out), "\n", "; "))
		}
		if r.tiny() {
			l.Note += "; tiny sizes: what follows proves that the kit works and measures nothing"
		}
		l.Note += "; torch: " + r.torch()
		return nil
	})
}

// torch is the version of the peers' torch, or why there is none. It is asked once.
func (r *run) torch() string {
	if r.torchIs == "" {
		r.torchIs, r.hasTorch = r.findTorch()
	}
	return r.torchIs
}

func (r *run) findTorch() (version string, ok bool) {
	if r.Python == "" {
		return "no Python was named", false
	}
	script := "import torch; print(torch.__version__, torch.cuda.get_device_name() if torch.cuda.is_available() else 'without CUDA')"
	out, err := exec.CommandContext(r.ctx, r.Python, "-c", script).Output()
	if err != nil {
		return fmt.Sprintf("none in %s", r.Python), false
	}
	return strings.TrimSpace(string(out)), true
}

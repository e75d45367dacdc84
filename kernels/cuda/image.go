//go:build cuda && cgo

package cuda

import (
	_ "embed"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"gorgonia.org/cu"
)

// The kernels, compiled. The cubins are machine code for chips of one major capability, the PTX is compiled by the driver.
var (
	//go:embed image/sm_80.cubin
	sm80 string
	//go:embed image/sm_90.cubin
	sm90 string
	//go:embed image/compute_80.ptx
	ptx string
)

// imageFor chooses the image for a compute capability, and names it.
func imageFor(major, minor int) (image, name string, err error) {
	switch {
	case major < 8:
		return "", "", fmt.Errorf("this GPU has compute capability %d.%d; 8.0 (A100, RTX 30) or later is needed, or --device cpu", major, minor)
	case major == 8:
		return sm80, "sm_80", nil
	case major == 9:
		return sm90, "sm_90", nil
	}
	return ptx, "compute_80 PTX", nil
}

// function is a loaded kernel and the sizes of its arguments.
type function struct {
	f     cu.Function
	sizes []int
}

// signatures reads the sizes of all kernels' arguments from the PTX, so that a launch with others is an error and no
// wrong number.
func signatures() map[string][]int {
	entries := regexp.MustCompile(`(?s)\.entry (\w+)\(([^)]*)\)`)
	parameters := regexp.MustCompile(`\.param (?:\.align \d+ )?\.(\w+) \w+(?:\[(\d+)\])?`)
	all := map[string][]int{}
	for _, e := range entries.FindAllStringSubmatch(ptx, -1) {
		var sizes []int
		for _, p := range parameters.FindAllStringSubmatch(e[2], -1) {
			size, _ := strconv.Atoi(strings.TrimLeft(p[1], "bufs"))
			size /= 8
			if p[2] != "" {
				size, _ = strconv.Atoi(p[2])
			}
			sizes = append(sizes, size)
		}
		all[e[1]] = sizes
	}
	return all
}

// loadKernels loads all kernels of an image into the current context.
func loadKernels(image string) (cu.Module, map[string]function, error) {
	module, err := cu.LoadData(image)
	if err != nil {
		return module, nil, failed("load kernels", err)
	}
	all := map[string]function{}
	for name, sizes := range signatures() {
		f, err := module.Function(name)
		if err != nil {
			_ = module.Unload()
			return module, nil, failed("find kernel "+name, err)
		}
		all[name] = function{f, sizes}
	}
	return module, all, nil
}

package conformance

// Comparing computed tensors under the type they were computed in.

import (
	"math"
	"strings"

	"mmc4/kernels"
	"mmc4/kernels/device"
)

// Compute opens the device of a run and says in which types to compute: weights (matrices) and activations.
func (e *Env) Compute() (dev kernels.Device, matrices, activations kernels.DType, err error) {
	dev, err = device.Open(e.Device)
	matrices, activations = kernels.F32, kernels.F32
	switch e.DType {
	case "bf16":
		matrices, activations = kernels.BF16, kernels.BF16
	case "int8":
		matrices = kernels.I8
	}
	return dev, matrices, activations, err
}

// Tensor counts a comparison of a computed tensor with the case's own of the same name: within the case's tolerance in
// fp32; in bf16 by relative L2 error (3e-2, gradients 8e-2), in int8 by cosine (0.999). got may be anything that has the
// elements of the expected tensor.
func (r *Report) Tensor(env *Env, c *Case, name string, got, want []float32) bool {
	if env.DType == "" || env.DType == "fp32" || len(got) != len(want) {
		return r.Close(name, got, want, c.Tolerance(name))
	}
	r.Inner++
	var dot, gg, ww, dd float64
	for i := range want {
		g, w := float64(got[i]), float64(want[i])
		dot, gg, ww, dd = dot+g*w, gg+g*g, ww+w*w, dd+(g-w)*(g-w)
	}
	if env.DType == "int8" && !strings.HasPrefix(name, "grad") {
		cosine := 1.0
		if gg > 0 && ww > 0 {
			cosine = dot / math.Sqrt(gg*ww)
		}
		return r.ratio(name, 1-min(cosine, 1), 0.001, func() string { return name + ": cosine below 0.999" })
	}
	limit := 3e-2
	if strings.HasPrefix(name, "grad") {
		limit = 8e-2
	}
	return r.ratio(name, math.Sqrt(dd/max(ww, 1e-30)), limit, func() string { return name + ": relative L2 error" })
}

package ref

import "mmc4/kernels"

func normalizePixels(op *kernels.NormalizePixels) {
	x := bytesOf(op.X)
	n, h, w := op.X.Dims[0], op.X.Dims[1], op.X.Dims[2]
	out := make([]float64, len(x))
	for i := range n {
		for c := range 3 {
			for at := range h * w {
				v := float64(x[(i*h*w+at)*3+c]) / 255
				out[(i*3+c)*h*w+at] = (v - float64(op.Mean[c])) / float64(op.Std[c])
			}
		}
	}
	store(op.Out, out)
}

func patchify(op *kernels.Patchify) {
	x := load(op.X)
	n, channels, h, w, p := op.X.Dims[0], op.X.Dims[1], op.X.Dims[2], op.X.Dims[3], op.Patch
	out := make([]float64, 0, op.Out.Len())
	for i := range n {
		for py := range h / p {
			for px := range w / p {
				for c := range channels {
					for dy := range p {
						for dx := range p {
							out = append(out, x[((i*channels+c)*h+py*p+dy)*w+px*p+dx])
						}
					}
				}
			}
		}
	}
	store(op.Out, out)
}

package optest

import "mmc4/kernels"

var imageRows = []Row{{
	Op:      "normalize_pixels",
	Outputs: []string{"Out"},
	Make: func(g *Gen) kernels.Op {
		n, h, w := g.Size(3), g.Size(33), g.Size(33)
		return clipPixels(g, n, h, w)
	},
	Speed: []SpeedCase{{"8 of 224 x 224", func(g *Gen) kernels.Op { return clipPixels(g, 8, 224, 224) }}},
}, {
	Op:      "patchify",
	Outputs: []string{"Out"},
	Make: func(g *Gen) kernels.Op {
		n, c, p := g.Size(3), 3, 1+g.IntN(16)
		h, w := p+g.IntN(40), p+g.IntN(40)
		return &kernels.Patchify{X: g.Poke(g.Act(n, c, h, w), NaN), Patch: p, Out: g.Out(n, (h/p)*(w/p), c*p*p)}
	},
	Speed: []SpeedCase{{"8 of 224 x 224 by 14", func(g *Gen) kernels.Op {
		return &kernels.Patchify{X: g.Act(8, 3, 224, 224), Patch: 14, Out: g.Out(8, 256, 588)}
	}}},
}}

func clipPixels(g *Gen, n, h, w int) kernels.Op {
	return &kernels.NormalizePixels{X: g.Bytes(256, n, h, w, 3), Out: g.Out(n, 3, h, w),
		Mean: [3]float32{0.48145466, 0.4578275, 0.40821073}, Std: [3]float32{0.26862954, 0.26130258, 0.27577711}}
}

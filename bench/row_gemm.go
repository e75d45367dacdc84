package bench

// Matrix products of transformer shapes: activations [m,k] times the transpose of a weight [n,k].

import (
	"context"
	"errors"
	"fmt"

	"mmc4/kernels"
	"mmc4/kernels/device"
)

// gemmShapes are m, n, k: ViT-L/14 in batches of 8 and 1, a prompt of 512 tokens of a 125M GPT-2, and skinny ones.
var gemmShapes = [][3]int{{2056, 4096, 1024}, {2056, 1024, 4096}, {257, 3072, 1024}, {512, 3072, 768}, {64, 3072, 768}, {16, 3072, 768}, {4, 3072, 768}, {1, 3072, 768}}

var gemmRows = func() (rows []Row) {
	for _, packed := range []bool{true, false} { // a frozen weight, and one that may change with every product
		for _, s := range gemmShapes {
			rows = append(rows, gemmRow(s, packed))
		}
	}
	for _, dtype := range []kernels.DType{kernels.BF16, kernels.I8} {
		for _, s := range gemmShapes {
			rows = append(rows, gemmTypeRow(s, dtype))
		}
	}
	return rows
}()

// product is one of our products, ready to run.
type product struct {
	dev   kernels.Device
	queue kernels.Queue
	op    *kernels.MatMul
}

func (p *product) close() error {
	for _, t := range []kernels.Tensor{p.op.A, p.op.B, p.op.Out} {
		t.Mem.Free()
	}
	return p.dev.Close()
}

func newProduct(a, w []float32, s [3]int, dtype kernels.DType, packed bool) (*product, error) {
	dev, err := device.Open("cpu")
	if err != nil {
		return nil, Unavailable{err.Error()}
	}
	return newProductOn(dev, a, w, s, dtype, packed)
}

func newProductOn(dev kernels.Device, a, w []float32, s [3]int, dtype kernels.DType, packed bool) (*product, error) {
	queue, err := dev.NewQueue()
	if err != nil {
		return nil, err
	}
	m, n, k := s[0], s[1], s[2]
	weight, err := kernels.NewParam(dev, queue, "w", dtype, w, n, k)
	if err != nil {
		return nil, err
	}
	activation := kernels.F32
	if dtype == kernels.BF16 {
		activation = kernels.BF16
	}
	input, err := kernels.NewParam(dev, queue, "a", activation, a, m, k)
	if err != nil {
		return nil, err
	}
	out, err := dev.Alloc(4 * m * n)
	if err != nil {
		return nil, err
	}
	if err := queue.Wait(); err != nil {
		return nil, err
	}
	b := weight.Value
	if packed {
		if err := weight.Pack(dev, false); err != nil {
			return nil, err
		}
		b = weight.Packed
	}
	op := &kernels.MatMul{A: input.Value, B: b, TransB: true, Out: kernels.View(out, 0, kernels.F32, m, n)}
	return &product{dev, queue, op}, nil
}

func (p *product) run() error {
	p.queue.Do(p.op)
	return p.queue.Wait()
}

func (p *product) result() ([]float32, error) {
	if err := p.run(); err != nil {
		return nil, err
	}
	data := make([]byte, 4*p.op.Out.Len())
	p.queue.Read(data, p.op.Out)
	return kernels.DecodeFloats(kernels.F32, data), p.queue.Wait()
}

func (p *product) side(version string) self {
	return self{version: version, run: p.run, close: p.close}
}

func gemmInput(lab *Lab, s [3]int) (a, w []float32) {
	rng := lab.Rand(fmt.Sprint("gemm", s))
	a, w = make([]float32, s[0]*s[2]), make([]float32, s[1]*s[2])
	for _, x := range [][]float32{a, w} {
		for i := range x {
			x[i] = float32(rng.NormFloat64())
		}
	}
	return a, w
}

func shapeName(s [3]int) string { return fmt.Sprintf("%dx%dx%d", s[0], s[1], s[2]) }

func gigaflop(s [3]int) float64 { return 2 * float64(s[0]) * float64(s[1]) * float64(s[2]) / 1e9 }

func gemmRow(s [3]int, packed bool) Row {
	row := Row{Name: "gemm.fp32-" + shapeName(s), Input: "frozen weight", Peer: "OpenBLAS", Bar: 1}
	if !packed {
		row.Name, row.Input = "gemm.fp32-"+shapeName(s)+"-unpacked", "weight as it lies in memory"
	}
	row.Open = func(_ context.Context, lab *Lab) (*Contest, error) {
		a, w := gemmInput(lab, s)
		paths := args{"m": s[0], "n": s[1], "k": s[2]}
		for name, x := range map[string][]float32{"a": a, "w": w} {
			path, err := lab.Write(name+".f32", kernels.EncodeFloats(kernels.F32, x))
			if err != nil {
				return nil, err
			}
			paths[name] = path
		}
		peer, err := lab.Python("gemm_peer.py", paths)
		if err != nil {
			return nil, err
		}
		ours, err := newProduct(a, w, s, kernels.F32, packed)
		if err != nil {
			return nil, errors.Join(err, peer.Close())
		}
		agree := func() (string, error) {
			data, err := peer.Output(lab)
			if err != nil {
				return "", err
			}
			mine, err := ours.result()
			if err != nil {
				return "", err
			}
			return closeTo(mine, kernels.DecodeFloats(kernels.F32, data), 1e-5)
		}
		return &Contest{Unit: "GFLOP/s", Work: gigaflop(s), Ours: ours.side(""), Theirs: peer, Agree: agree}, nil
	}
	return row
}

// gemmTypeRow sets another type against our own fp32.
func gemmTypeRow(s [3]int, dtype kernels.DType) Row {
	name, limit, bar := "bf16", 1e-2, 1.6
	if dtype == kernels.I8 {
		name, limit, bar = "int8", 2e-2, 0
	}
	return Row{Name: "gemm." + name + "-" + shapeName(s), Input: "frozen weight", Peer: "our own fp32", Bar: bar,
		Open: func(_ context.Context, lab *Lab) (*Contest, error) {
			a, w := gemmInput(lab, s)
			ours, err := newProduct(a, w, s, dtype, true)
			if err != nil {
				return nil, err
			}
			theirs, err := newProduct(a, w, s, kernels.F32, true)
			if err != nil {
				return nil, err
			}
			agree := func() (string, error) {
				mine, err := ours.result()
				if err != nil {
					return "", err
				}
				wide, err := theirs.result()
				if err != nil {
					return "", err
				}
				return closeTo(mine, wide, limit)
			}
			return &Contest{Unit: "GFLOP/s", Work: gigaflop(s), Ours: ours.side(""), Theirs: theirs.side("our fp32"), Agree: agree}, nil
		}}
}

package bench

// Random weights of true size, for models whose weights nobody needs to have.

import (
	"encoding/binary"
	"math"
	"os"

	"mmc4/models/weights"
)

// writeWeights writes random weights of given shapes, drawn from the lab's seed, as safetensors. Each is drawn by its own
// function: zero-mean with a deviation, or around one.
func writeWeights(lab *Lab, row, name string, tensors []randomTensor) (string, error) {
	rng := lab.Rand(row)
	var all []weights.Tensor
	for _, t := range tensors {
		n := 1
		for _, d := range t.shape {
			n *= d
		}
		data := make([]byte, 4*n)
		for i := range n {
			// the sum of four uniform values: close enough to normal, and quick for 300 million of them
			bits := rng.Uint64()
			sum := float32(bits&0xffff) + float32(bits>>16&0xffff) + float32(bits>>32&0xffff) + float32(bits>>48) - 131070
			binary.LittleEndian.PutUint32(data[4*i:], math.Float32bits(t.mean+t.std*sum*(1.7320508/65535)))
		}
		all = append(all, weights.Tensor{Name: t.name, DType: weights.F32, Shape: t.shape, Data: data})
	}
	f, err := os.Create(lab.Path(name))
	if err != nil {
		return "", err
	}
	defer f.Close()
	if err := weights.Write(f, all, nil); err != nil {
		return "", err
	}
	return lab.Path(name), f.Close()
}

type randomTensor struct {
	name      string
	mean, std float32
	shape     []int
}

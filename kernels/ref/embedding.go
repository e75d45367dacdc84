package ref

import (
	"math"

	"mmc4/kernels"
)

func embedding(op *kernels.Embedding) {
	table, ids := load(op.Table), ints(op.IDs)
	v, c := op.Table.Dims[0], op.Table.Dims[1]
	out := make([]float64, len(ids)*c)
	for i, id := range ids {
		for j := range c {
			out[i*c+j] = math.NaN()
			if 0 <= id && int(id) < v {
				out[i*c+j] = table[int(id)*c+j]
			}
		}
	}
	storeGrad(kernels.Grad{T: op.Out, Add: op.Add}, out)
}

func embeddingBackward(op *kernels.EmbeddingBackward) {
	ids, d := ints(op.IDs), load(op.DOut)
	v, c := op.DTable.T.Dims[0], op.DTable.T.Dims[1]
	dTable := make([]float64, v*c)
	for i, id := range ids {
		if 0 <= id && int(id) < v {
			for j := range c {
				dTable[int(id)*c+j] += d[i*c+j]
			}
		}
	}
	storeGrad(op.DTable, dTable)
}

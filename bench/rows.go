package bench

// The table's rows, in its order.

import "slices"

// Rows are all comparisons there are.
func Rows() []Row {
	return slices.Concat(warcRows, pairsRows, matchRows, parquetRows, gemmRows, clipRows, embedRows, buildRows, gpt2Rows, trainRows, evalRows, scoreRows, pictureRows, dataRows, tokenizerRows)
}

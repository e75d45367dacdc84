//go:build !cgo

package imaging

func resampleRows(dst, src raster, w *weights)    { resampleRowsRef(dst, src, w) }
func resampleColumns(dst, src raster, w *weights) { resampleColumnsRef(dst, src, w) }

func decodePlanes([]byte, Config) (*planes, error)           { return nil, nil }
func planesToRGB([]uint8, *planes, int, int, int, int) error { return nil }

//go:build !cgo

package imaging

func resampleRows(dst, src raster, w *weights)    { resampleRowsRef(dst, src, w) }
func resampleColumns(dst, src raster, w *weights) { resampleColumnsRef(dst, src, w) }

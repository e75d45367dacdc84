//go:build !cgo || !(amd64 || arm64)

package inflate

func (t *tables) quick(r *bitReader, out []byte, n int) (int, bool, error) {
	return t.quickRef(r, out, n)
}

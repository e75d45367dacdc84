//go:build !cgo

package cpu

// Available reports whether this program has the device.
const Available = false

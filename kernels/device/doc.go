// Package device opens the devices by name: what --device says.
//
// Each kind of device is one file that appends to kinds: ref.go always, cpu.go with cgo, cuda.go with the build tag cuda.
// Where a kind is not in the program, its no_ file says why and what to do.
package device

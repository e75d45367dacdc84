//go:build !(cuda && cgo)

package main

// gpuVerbs has none in the program that uses no GPU.
type gpuVerbs struct{}

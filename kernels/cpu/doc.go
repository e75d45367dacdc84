// Package cpu is the device that computes on this machine's cores: C through cgo, chosen at run time for what the
// processor has (portable C, AVX2 with FMA, AVX-512, AVX-512 with BF16 and VNNI).
//
// An op is a Go function that cuts the work into units and hands them to a pool of goroutines; a unit is one call into C.
// Which worker takes a unit never changes its result, so a result does not depend on the number of threads.
// Ops that are not worth C are ref's.
//
// The environment variable MMC4_CPU (portable, avx2, avx512, avx512-bf16) lowers the instruction set, for tests and for
// comparing machines. Without cgo the package is empty but for Available.
package cpu

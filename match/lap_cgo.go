//go:build cgo && amd64

package match

// This file hands assignment problems to the vector code in C where the processor can run it. Elsewhere, and without
// cgo, the Go code in lap_portable.go gives the same answers.

/*
#cgo CFLAGS: -O3
#cgo noescape mmc4_lap_f32
#cgo nocallback mmc4_lap_f32
#cgo noescape mmc4_lap_f64
#cgo nocallback mmc4_lap_f64
#include "lap_cgo.h"
*/
import "C"

import (
	"math"
	"unsafe"

	"golang.org/x/sys/cpu"
)

var (
	hasAVX512 = cpu.X86.HasAVX512F && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512DQ
	hasAVX2   = cpu.X86.HasAVX2
)

func (s *Solver) pairs64(cost []float64, rows, cols int) int {
	if !fits(rows, cols) {
		return s.portable64(cost, rows, cols)
	}
	memory := s.room(rows, cols, 1)
	status := C.mmc4_lap_f64(level(), (*C.double)(&cost[0]), C.int(rows), C.int(cols), (*C.double)(&memory[0]))
	s.take(memory, min(rows, cols))
	return int(status)
}

func (s *Solver) pairs32(similarity []float32, rows, cols int) int {
	if !fits(rows, cols) {
		return s.portable32(similarity, rows, cols)
	}
	memory := s.room(rows, cols, 2)
	status := C.mmc4_lap_f32(level(), (*C.float)(&similarity[0]), -1, C.int(rows), C.int(cols), (*C.double)(&memory[0]))
	s.take(memory, min(rows, cols))
	return int(status)
}

// fits tells whether the C code can take the problem: it counts in 32 bits.
func fits(rows, cols int) bool {
	return hasAVX2 && rows > 0 && cols > 0 && max(rows, cols) < math.MaxInt32/8
}

func level() C.int {
	if hasAVX512 {
		return 1
	}
	return 0
}

// room is memory for a solution; layout in lap_amd64.c cuts it up. perDouble costs fit into a double.
func (s *Solver) room(rows, cols, perDouble int) []float64 {
	n, m := min(rows, cols), max(rows, cols)
	stride := (m + 7) / 8 * 8
	doubles := 8 + 2*((n+15)/16*8) + 4*stride + 3*((stride+15)/16*8) + n*stride/perDouble
	if rows > cols {
		doubles += (n*m + 1) / perDouble // the values, rows and columns exchanged
	}
	s.native = grow(s.native, doubles)
	return s.native
}

// take makes colOf the n ints at the first 64-byte boundary of the memory.
func (s *Solver) take(memory []float64, n int) {
	start := unsafe.Pointer(&memory[0])
	skip := -uintptr(start) & 63
	s.colOf = unsafe.Slice((*int32)(unsafe.Add(start, skip)), n)
}

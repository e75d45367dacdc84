package main

// IEEE half precision.

import (
	"encoding/binary"
	"math"
)

// halves are the nearest half-precision numbers, little endian.
func halves(values []float32) []byte {
	out := make([]byte, 0, 2*len(values))
	for _, v := range values {
		out = binary.LittleEndian.AppendUint16(out, half(v))
	}
	return out
}

// half rounds to the nearest, of two equally near ones to the even.
func half(v float32) uint16 {
	bits := math.Float32bits(v)
	sign, exponent, mantissa := uint16(bits>>16)&0x8000, int(bits>>23&0xff)-127+15, bits&0x7fffff
	switch {
	case exponent == 0xff-127+15 && mantissa != 0:
		return sign | 0x7e00 // not a number
	case exponent >= 31:
		return sign | 0x7c00
	case exponent < -10:
		return sign
	}
	shift := uint(13)
	kept := uint32(max(exponent, 0)) << 10
	if exponent <= 0 { // without the hidden bit
		mantissa, shift = mantissa|0x800000, uint(14-exponent)
	}
	kept |= mantissa >> shift
	if rest, middle := mantissa&(1<<shift-1), uint32(1)<<(shift-1); rest > middle || rest == middle && kept&1 == 1 {
		kept++ // into the exponent where the mantissa is full
	}
	return sign | uint16(kept)
}

package weights

// The element types and their names and widths. Reads and writes nothing.

import (
	"fmt"
	"math"
)

// DType is the type of a tensor's elements, named as safetensors names it.
type DType string

const (
	F64     DType = "F64"
	F32     DType = "F32"
	F16     DType = "F16"
	BF16    DType = "BF16"
	F8E4M3  DType = "F8_E4M3"
	F8E5M2  DType = "F8_E5M2"
	I64     DType = "I64"
	I32     DType = "I32"
	I16     DType = "I16"
	I8      DType = "I8"
	U64     DType = "U64"
	U32     DType = "U32"
	U16     DType = "U16"
	U8      DType = "U8"
	Boolean DType = "BOOL"
)

// Size is the width of one element in bytes, 0 for a type this package does not know.
func (d DType) Size() int {
	switch d {
	case F64, I64, U64:
		return 8
	case F32, I32, U32:
		return 4
	case F16, BF16, I16, U16:
		return 2
	case F8E4M3, F8E5M2, I8, U8, Boolean:
		return 1
	}
	return 0
}

// Float says whether the elements are floating-point numbers.
func (d DType) Float() bool {
	switch d {
	case F64, F32, F16, BF16, F8E4M3, F8E5M2:
		return true
	}
	return false
}

// Torch is the name PyTorch gives the type ("torch.float32").
func (d DType) Torch() string {
	switch d {
	case F64:
		return "torch.float64"
	case F32:
		return "torch.float32"
	case F16:
		return "torch.float16"
	case BF16:
		return "torch.bfloat16"
	case F8E4M3:
		return "torch.float8_e4m3fn"
	case F8E5M2:
		return "torch.float8_e5m2"
	case I64:
		return "torch.int64"
	case I32:
		return "torch.int32"
	case I16:
		return "torch.int16"
	case I8:
		return "torch.int8"
	case U64:
		return "torch.uint64"
	case U32:
		return "torch.uint32"
	case U16:
		return "torch.uint16"
	case U8:
		return "torch.uint8"
	case Boolean:
		return "torch.bool"
	}
	return fmt.Sprintf("unknown type %q", string(d))
}

// Elements is the number of elements of a shape; ok is false when a dimension is negative or the product does not fit.
func Elements(shape []int) (n int, ok bool) {
	n = 1
	for _, d := range shape {
		if d < 0 {
			return 0, false
		}
		if d == 0 {
			n = 0
		}
		if n != 0 && d > math.MaxInt/n {
			return 0, false
		}
		n *= d
	}
	return n, true
}

// HalfToFloat widens an IEEE half-precision number.
func HalfToFloat(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exp := uint32(h>>10) & 0x1f
	frac := uint32(h & 0x3ff)
	switch {
	case exp == 0x1f:
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	case exp != 0:
		return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
	case frac == 0:
		return math.Float32frombits(sign)
	}
	f := float32(frac) / (1 << 24)
	if sign != 0 {
		f = -f
	}
	return f
}

// FloatToHalf rounds to IEEE half precision, ties to even; what is too large becomes infinite.
func FloatToHalf(v float32) uint16 {
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

// BFloatToFloat widens a bfloat16 number.
func BFloatToFloat(b uint16) float32 { return math.Float32frombits(uint32(b) << 16) }

func float8(b byte, expBits uint) float32 {
	fracBits := 7 - expBits
	bias := 1<<(expBits-1) - 1
	sign := float64(1)
	if b&0x80 != 0 {
		sign = -1
	}
	exp := int(b>>fracBits) & (1<<expBits - 1)
	frac := int(b) & (1<<fracBits - 1)
	top := 1<<expBits - 1
	if expBits == 4 { // e4m3fn: no infinities, one NaN
		if exp == top && frac == 1<<fracBits-1 {
			return float32(math.NaN())
		}
	} else if exp == top {
		if frac == 0 {
			return float32(math.Inf(int(sign)))
		}
		return float32(math.NaN())
	}
	if exp == 0 {
		return float32(sign * math.Ldexp(float64(frac), 1-bias-int(fracBits)))
	}
	return float32(sign * math.Ldexp(float64(frac|1<<fracBits), exp-bias-int(fracBits)))
}

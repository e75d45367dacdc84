package kernels

import (
	"encoding/binary"
	"math"
)

// Conversions between host values and the bytes of a tensor. All memory is little-endian.

// ToBF16 rounds to the nearest bfloat16, ties to even. NaN stays NaN.
func ToBF16(f float32) uint16 {
	bits := math.Float32bits(f)
	if bits&0x7fffffff > 0x7f800000 {
		return uint16(bits>>16) | 0x40
	}
	return uint16((bits + 0x7fff + (bits>>16)&1) >> 16)
}

// FromBF16 is exact.
func FromBF16(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }

// EncodeFloats writes values in a floating type's bytes.
func EncodeFloats(dtype DType, values []float32) []byte {
	data := make([]byte, len(values)*dtype.Size())
	for i, v := range values {
		if dtype == BF16 {
			binary.LittleEndian.PutUint16(data[2*i:], ToBF16(v))
		} else {
			binary.LittleEndian.PutUint32(data[4*i:], math.Float32bits(v))
		}
	}
	return data
}

// DecodeFloats reads values from a floating type's bytes.
func DecodeFloats(dtype DType, data []byte) []float32 {
	values := make([]float32, len(data)/dtype.Size())
	for i := range values {
		if dtype == BF16 {
			values[i] = FromBF16(binary.LittleEndian.Uint16(data[2*i:]))
		} else {
			values[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
	}
	return values
}

// EncodeInts writes int32 values in bytes.
func EncodeInts(values []int32) []byte {
	data := make([]byte, 4*len(values))
	for i, v := range values {
		binary.LittleEndian.PutUint32(data[4*i:], uint32(v))
	}
	return data
}

// DecodeInts reads int32 values from bytes.
func DecodeInts(data []byte) []int32 {
	values := make([]int32, len(data)/4)
	for i := range values {
		values[i] = int32(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return values
}

// Quantize rounds each row of a matrix [n, len/n] to int8 by its largest magnitude / 127. A row of zeros has scale 0;
// a row with a NaN or an infinity has scale NaN.
func Quantize(values []float32, n int) (bytes []byte, scales []float32) {
	bytes, scales = make([]byte, len(values)), make([]float32, n)
	if n == 0 {
		return bytes, scales
	}
	k := len(values) / n
	for i := range n {
		scales[i] = QuantizeRow(bytes[i*k:(i+1)*k], values[i*k:(i+1)*k])
	}
	return bytes, scales
}

// QuantizeRow is Quantize of one row: element = round to even (value * (127 / largest)).
func QuantizeRow(dst []byte, row []float32) (scale float32) {
	var largest float32
	for _, v := range row {
		if v != v || v > math.MaxFloat32 || v < -math.MaxFloat32 {
			return float32(math.NaN())
		}
		largest = max(largest, v, -v)
	}
	if largest == 0 {
		clear(dst)
		return 0
	}
	inverse := 127 / largest
	if inverse > math.MaxFloat32 { // a row of subnormal values
		clear(dst)
		return 0
	}
	for i, v := range row {
		dst[i] = byte(int8(math.RoundToEven(float64(v * inverse))))
	}
	return largest / 127
}

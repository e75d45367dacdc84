package weights

// A tensor and its conversions. Reads the bytes a File hands out.

import (
	"encoding/binary"
	"fmt"
	"math"
	"unsafe"
)

// Tensor is a named array. Data is little-endian and row-major, Elements(Shape) * DType.Size() bytes long.
type Tensor struct {
	Name  string
	DType DType
	Shape []int
	Data  []byte
}

// Len is the number of elements.
func (t Tensor) Len() int {
	if size := t.DType.Size(); size > 0 {
		return len(t.Data) / size
	}
	return 0
}

var littleEndian = func() bool {
	x := uint16(1)
	return *(*byte)(unsafe.Pointer(&x)) == 1
}()

// view reinterprets data as elements of T without copying, or gives nil when that cannot be done here.
func view[T any](data []byte) []T {
	var zero T
	size := unsafe.Sizeof(zero)
	if !littleEndian || len(data) == 0 || uintptr(unsafe.Pointer(&data[0]))%size != 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&data[0])), len(data)/int(size))
}

// Float32 gives the elements as float32. An F32 tensor is not copied where its bytes are aligned; float types of other
// widths are converted (F64 rounds); integers are refused: that is a wrong file, not a conversion.
func (t Tensor) Float32() ([]float32, error) {
	if t.DType == F32 {
		if v := view[float32](t.Data); v != nil {
			return v, nil
		}
	}
	if !t.DType.Float() {
		return nil, fmt.Errorf("tensor %q holds %s, floating-point numbers were expected", t.Name, t.DType)
	}
	out := make([]float32, t.Len())
	switch t.DType {
	case F64:
		for i := range out {
			out[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(t.Data[8*i:])))
		}
	case F32:
		for i := range out {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.Data[4*i:]))
		}
	case F16:
		for i := range out {
			out[i] = HalfToFloat(binary.LittleEndian.Uint16(t.Data[2*i:]))
		}
	case BF16:
		for i := range out {
			out[i] = BFloatToFloat(binary.LittleEndian.Uint16(t.Data[2*i:]))
		}
	case F8E4M3:
		for i := range out {
			out[i] = float8(t.Data[i], 4)
		}
	case F8E5M2:
		for i := range out {
			out[i] = float8(t.Data[i], 5)
		}
	}
	return out, nil
}

// Float64 gives the elements as float64, always as a fresh slice.
func (t Tensor) Float64() ([]float64, error) {
	if t.DType == F64 {
		out := make([]float64, t.Len())
		for i := range out {
			out[i] = math.Float64frombits(binary.LittleEndian.Uint64(t.Data[8*i:]))
		}
		return out, nil
	}
	narrow, err := t.Float32()
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(narrow))
	for i, v := range narrow {
		out[i] = float64(v)
	}
	return out, nil
}

// Int64 gives the elements of an integer or boolean tensor as int64, always as a fresh slice.
func (t Tensor) Int64() ([]int64, error) {
	out := make([]int64, t.Len())
	switch t.DType {
	case I64, U64:
		for i := range out {
			out[i] = int64(binary.LittleEndian.Uint64(t.Data[8*i:]))
			if t.DType == U64 && out[i] < 0 {
				return nil, fmt.Errorf("tensor %q: element %d does not fit 64 bits with a sign", t.Name, i)
			}
		}
	case I32:
		for i := range out {
			out[i] = int64(int32(binary.LittleEndian.Uint32(t.Data[4*i:])))
		}
	case U32:
		for i := range out {
			out[i] = int64(binary.LittleEndian.Uint32(t.Data[4*i:]))
		}
	case I16:
		for i := range out {
			out[i] = int64(int16(binary.LittleEndian.Uint16(t.Data[2*i:])))
		}
	case U16:
		for i := range out {
			out[i] = int64(binary.LittleEndian.Uint16(t.Data[2*i:]))
		}
	case I8:
		for i := range out {
			out[i] = int64(int8(t.Data[i]))
		}
	case U8, Boolean:
		for i := range out {
			out[i] = int64(t.Data[i])
		}
	default:
		return nil, fmt.Errorf("tensor %q holds %s, integers were expected", t.Name, t.DType)
	}
	return out, nil
}

// FromFloat32 makes an F32 tensor of values; on little-endian machines it shares their memory.
func FromFloat32(name string, values []float32, shape ...int) Tensor {
	if littleEndian && len(values) > 0 {
		data := unsafe.Slice((*byte)(unsafe.Pointer(&values[0])), 4*len(values))
		return Tensor{Name: name, DType: F32, Shape: shape, Data: data}
	}
	data := make([]byte, 0, 4*len(values))
	for _, v := range values {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	return Tensor{Name: name, DType: F32, Shape: shape, Data: data}
}

// FromFloat64 makes an F64 tensor.
func FromFloat64(name string, values []float64, shape ...int) Tensor {
	data := make([]byte, 0, 8*len(values))
	for _, v := range values {
		data = binary.LittleEndian.AppendUint64(data, math.Float64bits(v))
	}
	return Tensor{Name: name, DType: F64, Shape: shape, Data: data}
}

// FromInt64 makes an I64 tensor.
func FromInt64(name string, values []int64, shape ...int) Tensor {
	data := make([]byte, 0, 8*len(values))
	for _, v := range values {
		data = binary.LittleEndian.AppendUint64(data, uint64(v))
	}
	return Tensor{Name: name, DType: I64, Shape: shape, Data: data}
}

package optest

import (
	"reflect"
	"slices"

	"mmc4/kernels"
)

// field is a tensor of an op: the struct field it stands in, and whether the op writes it.
type field struct {
	name   string
	tensor *kernels.Tensor
	grad   bool
}

// fields lists the tensors of an op that are there; names of a forward op within a backward op begin with Forward.
func fields(op kernels.Op) []field {
	var list []field
	var walk func(v reflect.Value, name string)
	walk = func(v reflect.Value, name string) {
		switch x := v.Addr().Interface().(type) {
		case *kernels.Tensor:
			if !x.None() {
				list = append(list, field{name: name, tensor: x})
			}
			return
		case *kernels.Grad:
			if x.Wanted() {
				list = append(list, field{name: name, tensor: &x.T, grad: true})
			}
			return
		}
		switch v.Kind() {
		case reflect.Pointer:
			if !v.IsNil() {
				walk(v.Elem(), name)
			}
		case reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i), name)
			}
		case reflect.Struct:
			for i := range v.NumField() {
				if name == "" || name == "Media" || name == "Params" || name == "Forward" || name == "Forward.Media" {
					inner := v.Type().Field(i).Name
					if name != "" && name != "Media" && name != "Params" {
						inner = name + "." + inner
					}
					walk(v.Field(i), inner)
				}
			}
		}
	}
	walk(reflect.ValueOf(op).Elem(), "")
	return list
}

// clone is a deep copy of an op: its own structs, the same buffers.
func clone(op kernels.Op) kernels.Op {
	var copyOf func(v reflect.Value) reflect.Value
	copyOf = func(v reflect.Value) reflect.Value {
		fresh := reflect.New(v.Type()).Elem()
		fresh.Set(v)
		switch v.Kind() {
		case reflect.Pointer:
			if !v.IsNil() {
				fresh.Set(copyOf(v.Elem()).Addr())
			}
		case reflect.Slice:
			if !v.IsNil() {
				fresh.Set(reflect.AppendSlice(reflect.MakeSlice(v.Type(), 0, v.Len()), v))
			}
		case reflect.Struct:
			if _, tensor := v.Interface().(kernels.Tensor); !tensor {
				for i := range v.NumField() {
					fresh.Field(i).Set(copyOf(v.Field(i)))
				}
			}
		}
		return fresh
	}
	return copyOf(reflect.ValueOf(op)).Interface().(kernels.Op)
}

// buffers lists the distinct buffers of an op, scales too, in the order of its fields.
func buffers(op kernels.Op) []kernels.Buffer {
	var list []kernels.Buffer
	for _, f := range fields(op) {
		for _, b := range []kernels.Buffer{f.tensor.Mem, f.tensor.Scales} {
			if b != nil && !slices.Contains(list, b) {
				list = append(list, b)
			}
		}
	}
	return list
}

// placed is ops with their memory on a device.
type placed struct {
	ops   []kernels.Op
	there map[kernels.Buffer]kernels.Buffer // from the generator's buffers
}

// place copies ops, which may share memory, and that memory to a device.
func place(dev kernels.Device, q kernels.Queue, ops ...kernels.Op) (*placed, error) {
	p := &placed{there: map[kernels.Buffer]kernels.Buffer{}}
	for _, op := range ops {
		for _, b := range buffers(op) {
			if p.there[b] != nil {
				continue
			}
			n := b.Bytes()
			buf, err := dev.Alloc(n)
			if err != nil {
				p.free()
				return nil, err
			}
			p.there[b] = buf
			q.Write(kernels.View(buf, 0, kernels.U8, n), b.(kernels.HostBuffer).Host())
		}
		op = clone(op)
		for _, f := range fields(op) {
			f.tensor.Mem = p.there[f.tensor.Mem]
			if f.tensor.Scales != nil {
				f.tensor.Scales = p.there[f.tensor.Scales]
			}
		}
		p.ops = append(p.ops, op)
	}
	return p, nil
}

// read queues reads of all memory.
func (p *placed) read(q kernels.Queue) map[kernels.Buffer][]byte {
	contents := map[kernels.Buffer][]byte{}
	for b, buf := range p.there {
		contents[b] = make([]byte, b.Bytes())
		q.Read(contents[b], kernels.View(buf, 0, kernels.U8, b.Bytes()))
	}
	return contents
}

func (p *placed) free() {
	for _, b := range p.there {
		b.Free()
	}
}

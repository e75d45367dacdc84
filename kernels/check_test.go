package kernels_test

import (
	"errors"
	"maps"
	"reflect"
	"testing"

	"mmc4/kernels"
	"mmc4/kernels/optest"
	"mmc4/kernels/ref"
)

// TestChecksRefuse spoils one tensor of every op of the table at a time: Check must say no, never panic, and a queue must
// turn it into its error.
func TestChecksRefuse(t *testing.T) {
	spoils := map[string]func(kernels.Tensor) kernels.Tensor{
		"of the wrong type": func(x kernels.Tensor) kernels.Tensor {
			x.DType = map[kernels.DType]kernels.DType{kernels.F32: kernels.I32, kernels.BF16: kernels.I32, kernels.I32: kernels.F32, kernels.U8: kernels.F32, kernels.I8: kernels.U8}[x.DType]
			return x
		},
		"one too long": func(x kernels.Tensor) kernels.Tensor {
			x.Dims[x.Rank-1]++
			for i := x.Rank - 2; i >= 0; i-- {
				x.Strides[i] = x.Strides[i+1] * x.Dims[i+1]
			}
			return x
		},
	}
	free := map[string]bool{ // whose length nothing else fixes
		"sum_squares Xs": true, "fill Dst": true, "normalize_pixels X": true,
		"step_guard Found": true, "advance X": true, "rotary X": true, "cross_entropy Logits": true, "argmax X": true, "patchify X": true,
	}
	for i := range optest.Rows {
		row := &optest.Rows[i]
		op := row.Make(optest.NewGen(optest.FP32, 3))
		v := reflect.ValueOf(op).Elem()
		for name, field := range tensorsOf(v) {
			x := field.Interface().(kernels.Tensor)
			if x.None() || x.Rank == 0 {
				continue
			}
			for how, spoil := range spoils {
				if how == "one too long" && free[op.Name()+" "+name] {
					continue
				}
				if op.Name() == "copy" && how == "of the wrong type" && x.DType != kernels.F32 {
					continue
				}
				field.Set(reflect.ValueOf(spoil(x)))
				var shape *kernels.ShapeError
				if err := op.Check(); !errors.As(err, &shape) {
					t.Errorf("%s with %s %s: Check says %v", optest.Describe(op), name, how, err)
				} else if q, _ := ref.New().NewQueue(); q != nil {
					q.Do(op)
					if err := q.Wait(); !errors.As(err, &shape) {
						t.Errorf("%s with %s %s: the queue says %v", op.Name(), name, how, err)
					}
				}
			}
			field.Set(reflect.ValueOf(x))
		}
		if err := op.Check(); err != nil {
			t.Errorf("%s, put right again: %v", op.Name(), err)
		}
	}
}

// tensorsOf are an op's tensors by their fields, those of its parameters too.
func tensorsOf(op reflect.Value) map[string]reflect.Value {
	all := map[string]reflect.Value{}
	for i := range op.NumField() {
		f := op.Field(i)
		switch {
		case f.Type() == reflect.TypeFor[kernels.Tensor]():
			all[op.Type().Field(i).Name] = f
		case f.Type() == reflect.TypeFor[[]kernels.AdamWParam]() && f.Len() > 0:
			maps.Copy(all, tensorsOf(f.Index(0)))
		}
	}
	return all
}

// TestChecksOfNothing: an op without any tensor is refused too.
func TestChecksOfNothing(t *testing.T) {
	for i := range optest.Rows {
		op := optest.Rows[i].Make(optest.NewGen(optest.FP32, 1))
		empty := reflect.New(reflect.TypeOf(op).Elem()).Interface().(kernels.Op)
		if err := empty.Check(); err == nil {
			t.Errorf("%s of nothing passes its Check", op.Name())
		}
	}
}

// TestChecksCostNoMemory: an op that fits is checked twice on its way to a device, in every step.
func TestChecksCostNoMemory(t *testing.T) {
	for i := range optest.Rows {
		row := &optest.Rows[i]
		for _, mode := range []optest.Mode{optest.FP32, optest.BF16, optest.Mixed} {
			for seed := range uint64(8) {
				for _, op := range row.Instances(mode, seed) {
					if n := testing.AllocsPerRun(10, func() { _ = op.Check() }); n != 0 {
						t.Errorf("%s: Check takes memory %v times", optest.Describe(op), n)
					}
				}
			}
		}
	}
}

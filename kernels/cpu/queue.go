//go:build cgo

package cpu

import (
	"fmt"

	"mmc4/kernels"
)

// queue does everything at once, in the caller's goroutine and the pool: a host has nothing to overlap an op with.
type queue struct {
	d   *Device
	err error
}

func (d *Device) NewQueue() (kernels.Queue, error) { return &queue{d: d}, nil }

func (q *queue) Do(op kernels.Op) {
	if q.err != nil {
		return
	}
	if q.err = op.Check(); q.err != nil {
		return
	}
	q.d.mu.Lock()
	defer q.d.mu.Unlock()
	if err := q.d.run(op); err != nil {
		q.err = fmt.Errorf("%s: %w", op.Name(), err)
	}
}

func host(t kernels.Tensor) []byte {
	from := t.Off * t.DType.Size()
	return t.Mem.(kernels.HostBuffer).Host()[from : from+t.Len()*t.DType.Size()]
}

func (q *queue) Write(dst kernels.Tensor, data []byte) {
	if q.err == nil && q.fits("write", dst, data) {
		copy(host(dst), data)
	}
}

func (q *queue) Read(data []byte, src kernels.Tensor) {
	if q.err == nil && q.fits("read", src, data) {
		copy(data, host(src))
	}
}

// fits reports whether data is a contiguous tensor's, and makes it the queue's error if not.
func (q *queue) fits(what string, t kernels.Tensor, data []byte) bool {
	if !t.Contiguous() || t.Len()*t.DType.Size() != len(data) {
		q.err = &kernels.ShapeError{Op: what, Why: fmt.Sprintf("%v does not fit %d bytes, or is not contiguous", t, len(data))}
	}
	return q.err == nil
}

// event is past: everything was done when it was recorded.
type event struct{ err error }

func (e event) Wait() error { return e.err }
func (e event) Done() bool  { return true }

func (q *queue) Record() kernels.Event { return event{q.err} }
func (q *queue) After(kernels.Event)   {}

func (q *queue) Wait() error {
	err := q.err
	q.err = nil
	return err
}

// run does an op. The device is locked.
func (d *Device) run(op kernels.Op) error {
	switch op := op.(type) {
	case *kernels.MatMul:
		return d.matmul(op)
	case *kernels.Attention:
		return d.attention(op)
	case *kernels.AttentionBackward:
		return d.attentionBackward(op)
	case *kernels.LayerNormBackward:
		return d.normBackward(op)
	case *kernels.CrossEntropy:
		return d.crossEntropy(op)
	case *kernels.SumRows:
		d.sumRows(op)
	case *kernels.LayerNorm:
		d.layerNorm(op)
	case *kernels.RMSNorm:
		d.rmsNorm(op)
	case *kernels.Act:
		d.act(op)
	case *kernels.ActBackward:
		d.actBackward(op)
	case *kernels.GatedAct:
		d.gatedAct(op)
	case *kernels.GatedActBackward:
		d.gatedActBackward(op)
	case *kernels.Add:
		d.add(op)
	case *kernels.Mul:
		d.mul(op)
	case *kernels.ScaleBy:
		d.scaleBy(op)
	case *kernels.ScaleByBackward:
		d.scaleByBackward(op)
	case *kernels.TanhGate:
		d.tanhGate(op)
	case *kernels.TanhGateBackward:
		d.tanhGateBackward(op)
	case *kernels.Embedding:
		d.embedding(op)
	case *kernels.EmbeddingBackward:
		d.embeddingBackward(op)
	case *kernels.CrossEntropyBackward:
		d.crossEntropyBackward(op)
	case *kernels.LogSoftmax:
		d.logSoftmax(op)
	case *kernels.AdamW:
		d.adamW(op)
	case *kernels.SumSquares:
		d.sumSquares(op)
	case *kernels.NormalizePixels:
		d.normalizePixels(op)
	case *kernels.Patchify:
		if op.X.DType != op.Out.DType {
			return d.inRef(op)
		}
		d.patchify(op)
	case *kernels.Rotary:
		if !d.rotary(op) {
			return d.inRef(op)
		}
	case *kernels.Fill:
		d.fill(op)
	case *kernels.Copy:
		if floating(op.Src) && floating(op.Dst) {
			d.copyFloats(op)
			return nil
		}
		return d.inRef(op)
	default:
		return d.inRef(op)
	}
	return nil
}

// inRef does an op as the reference device does.
func (d *Device) inRef(op kernels.Op) error {
	d.rest.Do(op)
	return d.rest.Wait()
}

func floating(t kernels.Tensor) bool { return t.DType == kernels.F32 || t.DType == kernels.BF16 }

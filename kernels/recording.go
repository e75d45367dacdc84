package kernels

// Work that is done again and again with the same memory: a step of decoding, whose tokens and counters live on the device.
// Ops are data, so any device can do them again; one that can prepare them for that does.

import "errors"

// Capturer is a Queue that can make one piece of ops that it has done before.
type Capturer interface {
	Capture(ops []Op) (Captured, error)
}

// Captured is such a piece. Do queues it, like the ops one after the other; it fails as Queue.Do does.
type Captured interface {
	Do()
	Free()
}

// Recording is ops that were queued once. It is for as long as the memory they work on.
type Recording struct {
	queue    Queue
	ops      []Op
	captured Captured
}

// Record keeps the ops that f queues through the pass, which are done as ever. f may neither write nor read: what it is to
// work on has to be on the device already.
func (p *Pass) Record(f func()) *Recording {
	r := &Recording{queue: p.queue}
	p.queue = &keeper{Queue: p.queue, recording: r, fail: p.Fail}
	f()
	p.queue = r.queue
	return r
}

// Do queues the ops once more. What fails shows when the queue is waited for, or here where they cannot be prepared.
func (r *Recording) Do() error {
	if c, ok := r.queue.(Capturer); ok && r.captured == nil {
		captured, err := c.Capture(r.ops)
		if err != nil {
			return err
		}
		r.captured = captured
	}
	if r.captured != nil {
		r.captured.Do()
		return nil
	}
	for _, op := range r.ops {
		r.queue.Do(op)
	}
	return nil
}

// Free gives back what a device made of it.
func (r *Recording) Free() {
	if r.captured != nil {
		r.captured.Free()
	}
}

// keeper is a queue that keeps what it is told to do.
type keeper struct {
	Queue
	recording *Recording
	fail      func(error)
}

var errRecordsOpsAlone = errors.New("a recording is of ops alone: no data can come or go in it")

func (k *keeper) Do(op Op) {
	k.recording.ops = append(k.recording.ops, op)
	k.Queue.Do(op)
}

func (k *keeper) Write(Tensor, []byte) { k.fail(errRecordsOpsAlone) }
func (k *keeper) Read([]byte, Tensor)  { k.fail(errRecordsOpsAlone) }

package lm

// The step of decoding that is done again and again: one token a row. It is recorded once (kernels.Recording): the tokens that
// it reads, how many keys there are and the positions lie on the device, and the step itself leaves those of the next one
// there. So a device can do it in one call, and go on while the host looks at the tokens of the step before.

import (
	"fmt"

	"mmc4/kernels"
)

// repeat is such a step.
type repeat struct {
	recording *kernels.Recording
	ids       kernels.Tensor // int32 [rows]: read, and then the best that follow
	logits    kernels.Tensor // fp32 [rows,V]
	furthest  int32          // position of the last step
	begun     []chosen       // best tokens that were not looked at yet, oldest first
}

// chosen is ids on their way to the host.
type chosen struct {
	data []byte
	done kernels.Event
}

// again reads the tokens that were chosen and chooses the next; so many more may follow, these included. The ids of rows that
// have ended are not minded: no row sees another.
func (d *decoder) again(draw *sampler, ids []int32, left int) ([]int32, error) {
	greedy := d.o.Sample == nil
	if d.repeat == nil {
		if err := d.record(ids, greedy); err != nil {
			return nil, err
		}
	} else if !greedy {
		d.p.Queue().Write(d.repeat.ids, kernels.EncodeInts(ids))
		if err := d.step(); err != nil {
			return nil, err
		}
	}
	r := d.repeat
	if !greedy {
		return draw.next(d.p, r.logits)
	}
	if len(r.begun) == 0 {
		if err := d.step(); err != nil {
			return nil, err
		}
	}
	if len(r.begun) < min(2, left) && d.m.within(r.furthest+1) == nil && !r.begun[0].done.Done() { // the device works: it need not wait for the host
		if err := d.step(); err != nil {
			return nil, err
		}
	}
	first := r.begun[0]
	r.begun = r.begun[1:]
	if err := first.done.Wait(); err != nil {
		return nil, err
	}
	return kernels.DecodeInts(first.data), nil
}

// record does the first step and keeps it.
func (d *decoder) record(ids []int32, greedy bool) error {
	p, m, rows, past := d.p, d.m, d.prompt.Rows, d.cache.Len()
	p.Reset()
	in := Input{IDs: ids, Rows: rows, Mask: d.mask(rows, 1, 1), Counted: true}
	if err := m.check(in, past); err != nil {
		return err
	}
	places := m.places(in, past)
	r := &repeat{ids: p.FromInt32(ids, rows)}
	for _, place := range places {
		r.furthest = max(r.furthest, place-1) // step counts on
	}
	counters := p.FromInt32(append([]int32{int32(past), int32(past + 1)}, places...), 2+rows)
	x := &run{cache: d.cache, positions: counters.Slice(0, 2, 2+rows).Reshape(rows, 1), at: counters.Slice(0, 0, 1), keys: counters.Slice(0, 1, 2)}
	m.share(p, x, d.maskFor(rows, 1, d.cache.capacity), d.cache.capacity)
	if d.prompt.Before != nil {
		x.before = d.prompt.Before(p, Step{IDs: ids, Rows: rows, Group: 1})
	}
	if err := m.within(r.furthest + 1); err != nil {
		return err
	}
	r.recording = p.Record(func() {
		hidden := m.layers(p, m.look(p, kernels.EmbedArgs{Table: m.embed, IDs: r.ids.Reshape(rows, 1)}, p.EmbedWith, x.positions), x)
		r.logits = m.Logits(p, hidden.Reshape(rows, m.Config.Width))
		p.Do(&kernels.Advance{X: counters, By: 1})
		if greedy {
			p.Do(&kernels.ArgMax{X: r.logits, Out: r.ids})
		}
	})
	d.repeat = r
	d.stepped()
	return p.Err()
}

// step does the step once more.
func (d *decoder) step() error {
	if err := d.m.within(d.repeat.furthest + 1); err != nil {
		return err
	}
	if err := d.repeat.recording.Do(); err != nil {
		return err
	}
	d.stepped()
	return nil
}

// stepped counts a step that is queued, and sends its tokens.
func (d *decoder) stepped() {
	r := d.repeat
	r.furthest++
	d.cache.length++
	if d.o.Sample == nil {
		c := chosen{data: make([]byte, 4*d.prompt.Rows)}
		d.p.Queue().Read(c.data, r.ids)
		c.done = d.p.Queue().Record()
		r.begun = append(r.begun, c)
	}
}

// within reports a position that the model has no room for.
func (m *Model) within(place int32) error {
	if m.positions != nil && int(place) >= m.Config.MaxPositions+m.Config.PositionOffset {
		return fmt.Errorf("language model: a text of %d tokens is longer than the %d positions of the model", place+1-int32(m.Config.PositionOffset), m.Config.MaxPositions)
	}
	return nil
}

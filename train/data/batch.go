package data

// Samples to a batch: padded on the right, each picture once.

import "mmc4/internal/imaging"

// Batch is what a model is given. B rows of T tokens, I pictures, S slots a row.
type Batch struct {
	Rows, Len, Slots int
	IDs, Labels      []int32        // [B,T]
	Mask             []byte         // [B,T], 0 hides padding
	Pictures         []*imaging.RGB // [I]
	Slot             []int          // [B,S]: index into Pictures, -1: no picture
	Features         []float32      // [B,d], of probes
	Samples          []string       // [B]: document ids
	Likeness         []Likeness     // [B]
	LossTokens       int            // tokens that are predicted
}

// NewBatch puts samples together. Rows are padded with pad to length, or to the longest sample when length is 0; slots is
// the number of pictures of a row, 0: as many as the row with most has.
func NewBatch(samples []*Sample, pad int32, length, slots int) *Batch {
	b := &Batch{Rows: len(samples), Len: length, Slots: slots}
	for _, s := range samples {
		if length == 0 {
			b.Len = max(b.Len, len(s.IDs))
		}
		if slots == 0 {
			b.Slots = max(b.Slots, len(s.Images))
		}
	}
	for _, s := range samples {
		for i := range b.Len {
			id, label, shown := pad, int32(noLabel), byte(0)
			if i < len(s.IDs) {
				id, label, shown = s.IDs[i], s.Labels[i], 1
			}
			b.IDs, b.Labels, b.Mask = append(b.IDs, id), append(b.Labels, label), append(b.Mask, shown)
			if i > 0 && label >= 0 {
				b.LossTokens++
			}
		}
		for k := range b.Slots {
			at := -1
			if k < len(s.Images) {
				at = len(b.Pictures)
				b.Pictures = append(b.Pictures, s.Images[k].Square)
			}
			b.Slot = append(b.Slot, at)
		}
		b.Features = append(b.Features, s.Features...)
		b.Samples = append(b.Samples, s.ID)
		b.Likeness = append(b.Likeness, s.Likeness)
	}
	return b
}

// Release gives the memory of the pictures to those that come next: nobody may look at them any more.
func (b *Batch) Release() {
	for _, m := range b.Pictures {
		if m != nil {
			m.Release()
		}
	}
	b.Pictures = nil
}

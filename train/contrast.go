package train

// What `contrast` asks of a CLIP besides its loss, so that a cosine means something by itself: samples without a partner as
// further negatives, and the two halves of the contrastive loss of Hadsell, Chopra and LeCun (2006), on cosines.

import (
	"fmt"
	"math"

	"mmc4/kernels"
	"mmc4/train/data"
)

// Contrast is the section of that name.
type Contrast struct {
	// Unpaired lets pictures without text and texts without a picture take part: nothing belongs to them.
	Unpaired bool `yaml:"unpaired" json:"unpaired"`
	// Strangers adds weight * mean of max(0, cosine - margin)^2 over pictures and texts that have nothing to do with each
	// other, Partners weight * mean of max(0, margin - cosine)^2 over those that belong together.
	Strangers Hinge `yaml:"strangers" json:"strangers"`
	Partners  Hinge `yaml:"partners" json:"partners"`
	// MaxScale bounds the factor on cosines; 0: CLIP's 100.
	MaxScale float64 `yaml:"max_scale" json:"max_scale"`
}

// Hinge is a bound on cosines, and what passing it costs; weight 0: nothing.
type Hinge struct {
	Margin float64 `yaml:"margin" json:"margin"`
	Weight float64 `yaml:"weight" json:"weight"`
}

// clipScale is the largest factor that CLIP allows.
const clipScale = 100

// most is the logarithm of the largest factor; c may be nil.
func (c *Contrast) most() float32 {
	if c != nil && c.MaxScale > 0 {
		return float32(math.Log(c.MaxScale))
	}
	return float32(math.Log(clipScale))
}

func (c *Contrast) check() error {
	if c == nil {
		return nil
	}
	for name, h := range map[string]Hinge{"strangers": c.Strangers, "partners": c.Partners} {
		if !(h.Margin >= -1 && h.Margin <= 1 && h.Weight >= 0) {
			return fmt.Errorf("contrast.%s: margin is %v and weight %v; a margin is a cosine, a weight at least 0", name, h.Margin, h.Weight)
		}
	}
	if c.MaxScale != 0 && !(c.MaxScale >= 1) {
		return fmt.Errorf("contrast.max_scale is %v; it must be at least 1", c.MaxScale)
	}
	return nil
}

// unpaired says whether samples without a partner take part.
func (c *Config) unpaired() bool { return c.Contrast != nil && c.Contrast.Unpaired }

// kin is what a picture is to a text.
type kin uint8

const (
	other    kin = iota // a negative of the same topic
	partner             // it shows what the text says
	stranger            // of another topic
)

// pairing is who belongs to whom among I pictures and T texts.
type pairing struct {
	texts     [][]int64 // [T] rows of ids, no longer than the longest text needs
	textOf    []int32   // [I]: the sample's own text, kernels.IgnoreLabel where it has none
	pictureOf []int32   // [T]
	kin       []kin     // [I,T]
}

// halves says whether a row has a picture, which then has a slot, and a text, whose first token then is shown.
func halves(b *data.Batch, row int) (picture, text bool) {
	return b.Slots > 0 && b.Slot[row*b.Slots] >= 0, b.Len > 0 && b.Mask[row*b.Len] > 0
}

// pair reads a batch.
func pair(b *data.Batch) pairing {
	var q pairing
	var pictures, texts []int32 // their rows in the batch
	length := 1
	for i := range b.Rows {
		seen, said := halves(b, i)
		own := [2]int32{kernels.IgnoreLabel, kernels.IgnoreLabel}
		if seen && said {
			own = [2]int32{int32(len(texts)), int32(len(pictures))}
		}
		if seen {
			pictures, q.textOf = append(pictures, int32(i)), append(q.textOf, own[0])
		}
		if said {
			texts, q.pictureOf = append(texts, int32(i)), append(q.pictureOf, own[1])
			for k, id := range b.IDs[i*b.Len : (i+1)*b.Len] {
				if id != 0 { // behind the end token, whose id is the largest, stand zeros
					length = max(length, k+1)
				}
			}
		}
	}
	for _, i := range texts {
		row := make([]int64, length)
		for k := range row {
			row[k] = int64(b.IDs[int(i)*b.Len+k])
		}
		q.texts = append(q.texts, row)
	}
	q.relate(pictures, texts, b.Likeness)
	return q
}

// relate fills kin for the rows of pictures and texts.
func (q *pairing) relate(pictures, texts []int32, all []data.Likeness) {
	for _, i := range pictures {
		for _, j := range texts {
			q.kin = append(q.kin, kinOf(i, j, all))
		}
	}
}

func kinOf(i, j int32, all []data.Likeness) kin {
	switch a, b := all[i], all[j]; {
	case i == j, a.Thing != "" && a.Thing == b.Thing:
		return partner
	case a.Topic != "" && a.Topic == b.Topic:
		return other
	}
	return stranger
}

// hidden is what to add to logits [I,T] (of texts: [T,I]) so that a sample that fits as well as the own partner is no negative;
// none where there is no such sample.
func (q *pairing) hidden(p *kernels.Pass, ofTexts bool) kernels.Tensor {
	const out = -1e4
	rows, columns := len(q.textOf), len(q.texts)
	values, any := make([]float32, rows*columns), false
	for i, text := range q.textOf {
		for j := range columns {
			if q.kin[i*columns+j] == partner && j != int(text) {
				at := i*columns + j
				if ofTexts {
					at = j*rows + i
				}
				values[at], any = out, true
			}
		}
	}
	if !any {
		return kernels.Tensor{}
	}
	if ofTexts {
		rows, columns = columns, rows
	}
	return p.FromFloat32(values, rows, columns)
}

// hinges is the loss of both hinges on cosines [I,T]: sum over all of weight * max(0, sign * cosine + offset)^2.
func (c *Contrast) hinges(p *kernels.Pass, cosines kernels.Tensor, q *pairing) kernels.Tensor {
	var count [3]float64
	for _, k := range q.kin {
		count[k]++
	}
	n := len(q.kin)
	sign, offset, weight := make([]float32, n), make([]float32, n), make([]float32, n)
	for i, k := range q.kin {
		switch k {
		case stranger:
			sign[i], offset[i], weight[i] = 1, float32(-c.Strangers.Margin), float32(c.Strangers.Weight/count[k])
		case partner:
			sign[i], offset[i], weight[i] = -1, float32(c.Partners.Margin), float32(c.Partners.Weight/count[k])
		}
	}
	over := p.Add(p.Mul(cosines.Reshape(n), p.FromFloat32(sign, n)), p.FromFloat32(offset, n), 1)
	return p.MatMul(p.Act(over, kernels.SquaredReLU).Reshape(1, n), p.FromFloat32(weight, 1, n), false, true, 1, kernels.F32).Reshape(1)
}

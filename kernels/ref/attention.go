package ref

import (
	"math"

	"mmc4/kernels"
)

// Legend: b batch, h query head, g key head, i query, j key (keys of the second segment follow those of the first).

// scorer knows which keys a query sees and with which scores.
type scorer struct {
	op                     *kernels.Attention
	q, k, k2               []float64
	slopes                 []float64
	times                  []int32
	mask                   []byte
	tq, tk, tk2, h, hkv, d int
	maskRow                int // of mask
}

func newScorer(op *kernels.Attention) *scorer {
	s := &scorer{op: op, maskRow: op.KeyMask.Len() / op.Q.Dims[0], q: load(op.Q), k: load(op.K), k2: load(op.K2), slopes: load(op.Slopes),
		tq: op.Q.Dims[1], h: op.Q.Dims[2], d: op.Q.Dims[3], tk: op.K.Dims[1], hkv: op.K.Dims[2]}
	if !op.K2.None() {
		s.tk2 = op.K2.Dims[1]
	}
	if op.Media != nil {
		s.times = ints(op.Media.TextTime)
	}
	if !op.KeyMask.None() {
		s.mask = bytesOf(op.KeyMask)
	}
	return s
}

func (s *scorer) keyHead(h int) int { return h / (s.h / s.hkv) }

// query, key and their like are the d features of one head.
func (s *scorer) query(x []float64, b, i, h int) []float64 { return head(x, (b*s.tq+i)*s.h+h, s.d) }

func (s *scorer) key(first, second []float64, b, j, g int) []float64 {
	if j >= s.tk {
		return head(second, (b*s.tk2+j-s.tk)*s.hkv+g, s.d)
	}
	return head(first, (b*s.tk+j)*s.hkv+g, s.d)
}

func head(x []float64, n, d int) []float64 { return x[n*d : (n+1)*d] }

func (s *scorer) sees(b, i, j int) bool {
	if j >= s.tk {
		return true
	}
	if s.op.Causal && j > i+s.tk-s.tq {
		return false
	}
	if s.mask != nil && s.mask[b*s.maskRow+j] == 0 {
		return false
	}
	if m := s.op.Media; m != nil {
		text, media := int(s.times[b*s.tq+i]), j/m.KeysPerMedia+1
		return media == text || m.Previous && media < text
	}
	return true
}

// weights is the softmax of a query's scores, one weight a key, and the log of the sum of exponentials. Two cases are
// none of scores: +Inf marks a uniform query, -Inf one of zeros.
func (s *scorer) weights(b, h, i int) (weights []float64, lse float64) {
	weights = make([]float64, s.tk+s.tk2)
	if m := s.op.Media; m != nil && !m.Previous && s.times[b*s.tq+i] == 0 {
		return weights, math.Inf(-1)
	}
	q := s.query(s.q, b, i, h)
	seen, largest := 0, math.Inf(-1)
	for j := range weights {
		if !s.sees(b, i, j) {
			weights[j] = math.Inf(-1)
			continue
		}
		score := float64(s.op.Scale) * dot(q, s.key(s.k, s.k2, b, j, s.keyHead(h)))
		if s.slopes != nil && j < s.tk {
			score += s.slopes[h] * float64(j-(s.tk-1))
		}
		weights[j] = score
		largest = max(largest, score)
		seen++
	}
	if seen == 0 {
		s.uniform(weights, b, i)
		return weights, math.Inf(1)
	}
	var sum float64
	for j, score := range weights {
		weights[j] = 0
		if s.sees(b, i, j) {
			weights[j] = math.Exp(score - largest)
		}
		sum += weights[j]
	}
	for j := range weights {
		weights[j] /= sum
	}
	return weights, largest + math.Log(sum)
}

// uniform is the weights of a query that sees no key.
func (s *scorer) uniform(weights []float64, b, i int) {
	count := 0
	for j := range weights {
		weights[j] = 0
		twice := s.op.HiddenOnce && s.op.Causal && j > i+s.tk-s.tq && s.mask != nil && s.mask[b*s.maskRow+j] == 0
		if j < s.tk && !twice {
			weights[j] = 1
			count++
		}
	}
	for j := range weights {
		weights[j] /= float64(count)
	}
}

func attention(op *kernels.Attention) {
	if !op.Keys.None() {
		op = op.First(int(ints(op.Keys)[0]))
	}
	s := newScorer(op)
	v, v2 := load(op.V), load(op.V2)
	batch := op.Q.Dims[0]
	out, lse := make([]float64, len(s.q)), make([]float64, batch*s.h*s.tq)
	parallel(batch*s.h*s.tq, func(n int) {
		b, h, i := n/(s.h*s.tq), n/s.tq%s.h, n%s.tq
		weights, l := s.weights(b, h, i)
		lse[n] = l
		row := s.query(out, b, i, h)
		for j, w := range weights {
			if w != 0 {
				for c, value := range s.key(v, v2, b, j, s.keyHead(h)) {
					row[c] += w * value
				}
			}
		}
	})
	store(op.Out, out)
	store(op.LSE, lse)
}

// attentionBackward recomputes the weights p: dv += p dOut, ds = p (dOut.v - dOut.out), dq += scale ds k, dk += scale ds q.
func attentionBackward(op *kernels.AttentionBackward) {
	f := op.Forward
	s := newScorer(f)
	v, v2, dOut := load(f.V), load(f.V2), load(op.DOut)
	dq, dk, dv := make([]float64, len(s.q)), make([]float64, len(s.k)), make([]float64, len(v))
	dk2, dv2 := make([]float64, len(s.k2)), make([]float64, len(v2))
	parallel(f.Q.Dims[0]*s.hkv, func(n int) {
		b, g := n/s.hkv, n%s.hkv
		for h := g * (s.h / s.hkv); h < (g+1)*(s.h/s.hkv); h++ {
			for i := range s.tq {
				weights, lse := s.weights(b, h, i)
				d := s.query(dOut, b, i, h)
				along := make([]float64, len(weights)) // dOut . v_j
				var mean float64                       // dOut . out
				for j, p := range weights {
					if p == 0 {
						continue
					}
					along[j] = dot(d, s.key(v, v2, b, j, g))
					mean += p * along[j]
					axpy(s.key(dv, dv2, b, j, g), p, d)
				}
				if math.IsInf(lse, 0) {
					continue
				}
				for j, p := range weights {
					if p == 0 {
						continue
					}
					ds := float64(f.Scale) * p * (along[j] - mean)
					axpy(s.query(dq, b, i, h), ds, s.key(s.k, s.k2, b, j, g))
					axpy(s.key(dk, dk2, b, j, g), ds, s.query(s.q, b, i, h))
				}
			}
		}
	})
	storeGrad(op.DQ, dq)
	storeGrad(op.DK, dk)
	storeGrad(op.DV, dv)
	storeGrad(op.DK2, dk2)
	storeGrad(op.DV2, dv2)
}

// axpy is y += a*x.
func axpy(y []float64, a float64, x []float64) {
	for i, v := range x {
		y[i] += a * v
	}
}

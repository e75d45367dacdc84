package model

import (
	"encoding/binary"
	"fmt"

	"mmc4/eval"
	"mmc4/models/lm"
)

// prefixBytes bounds what is kept of shared beginnings between batches.
const prefixBytes = 1 << 30

// prefixes are beginnings of prompts that several queries share, read once. The least recently used goes first. Which are used
// depends on the queries alone, never on what happens to be kept: answers are the same after an interruption.
type prefixes struct {
	kept  map[string]*lm.Prefix
	order []string // of use, the latest last
	bytes int
}

// beginning is what of a query's tokens is shared: all before its last picture. "" when nothing is.
func (m *Flamingo) beginning(q eval.Query, ids []int) (length int, images []string, key string) {
	if !q.Shared || m.compat {
		return 0, nil, ""
	}
	markers := 0
	for t, id := range ids {
		if id == m.model.Config.Media {
			length, markers = t, markers+1
		}
	}
	if length == 0 || markers > len(q.Images) {
		return 0, nil, ""
	}
	images = q.Images[:markers-1]
	text := fmt.Appendf(nil, "%q", images)
	for _, id := range ids[:length] {
		text = binary.LittleEndian.AppendUint32(text, uint32(id))
	}
	return length, images, string(text)
}

// prefix gives a beginning, reading it if it is not kept.
func (m *Flamingo) prefix(ids []int, images []string, key string) (*lm.Prefix, error) {
	if x := m.shared.kept[key]; x != nil {
		m.shared.use(key)
		return x, nil
	}
	tokens := make([]int32, len(ids))
	for i, id := range ids {
		tokens[i] = int32(id)
	}
	m.pass.Reset()
	x, err := m.model.ReadPrefix(m.pass, tokens, m.media(images, 1, len(images)))
	if err != nil {
		return nil, err
	}
	m.shared.add(key, x)
	return x, nil
}

func (p *prefixes) use(key string) {
	for i, k := range p.order {
		if k == key {
			p.order = append(append(p.order[:i:i], p.order[i+1:]...), key)
			return
		}
	}
}

func (p *prefixes) add(key string, x *lm.Prefix) {
	if p.kept == nil {
		p.kept = map[string]*lm.Prefix{}
	}
	p.kept[key] = x
	p.order = append(p.order, key)
	p.bytes += x.Bytes()
}

// shrink forgets beginnings until they take no more than a limit; no work that reads them may be under way.
func (p *prefixes) shrink(limit int) {
	for p.bytes > limit {
		x := p.kept[p.order[0]]
		delete(p.kept, p.order[0])
		p.order = p.order[1:]
		p.bytes -= x.Bytes()
		x.Free()
	}
}

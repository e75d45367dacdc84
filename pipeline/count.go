package pipeline

// Stage count: duplicates. Within a page by distance of hashes, then, over all pages, hashes that too many pairs carry.

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"

	"mmc4/dedup"
)

var (
	countPages = &phase{stage: "count", name: "count.pages", unit: "images",
		tasks: func(r *run) int { return r.plan.Parts }, do: doCountPages, feeds: func() []from { return []from{{inspectImages.name, "pairs"}} }}
	countCorpus = &phase{stage: "count", name: "count.corpus", unit: "hashes",
		tasks: func(r *run) int { return r.cfg.Settings.Partitions }, do: doCountCorpus}
	countVerdict = &phase{stage: "count", name: "count.verdict", unit: "images",
		tasks: func(r *run) int { return r.plan.Parts }, do: doCountVerdict, feeds: func() []from { return []from{{countPages.name, "survivors"}} }}
)

// doCountPages drops near duplicates within a page. Outputs: "survivors" (one partition; key docRef, place; value pair),
// "hashes" (by hash partition; key hash), "rejects".
func doCountPages(ctx context.Context, t *task) error {
	t.declare("survivors", 1)
	m, err := t.merged(ctx, t.index, from{inspectImages.name, "pairs"})
	if err != nil {
		return err
	}
	limits := t.cfg.Settings.limits()
	var onPage dedup.Page
	return groups(m, docKeyLen, func(group []byte, next func() (bool, error)) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		d, _, err := parseDoc(group)
		if err != nil {
			return err
		}
		onPage.Reset()
		for {
			more, err := next()
			if !more || err != nil {
				return err
			}
			p, place, err := t.nextPair(m, len(group))
			if err != nil {
				return err
			}
			if rejection := onPage.Keep(limits, p.PHash); rejection != nil {
				if err := t.rejectImage(d, d.id(), place, p.URL, rejection); err != nil {
					return err
				}
				continue
			}
			if err := t.emit("hashes", t.cfg.Settings.Partitions, int(p.PHash%uint64(t.cfg.Settings.Partitions)), keyU64(nil, p.PHash), nil); err != nil {
				return err
			}
			if err := t.emit("survivors", 1, 0, m.key, m.value); err != nil {
				return err
			}
		}
	})
}

// doCountCorpus counts the pairs of every hash. Output: "common" (one partition; key hash, number of pairs), the hashes
// that too many carry.
func doCountCorpus(ctx context.Context, t *task) error {
	t.declare("common", 1)
	m, err := t.merged(ctx, t.index, from{countPages.name, "hashes"})
	if err != nil {
		return err
	}
	limits := t.cfg.Settings.limits()
	return groups(m, func([]byte) int { return 8 }, func(group []byte, next func() (bool, error)) error {
		n := int64(0)
		for {
			more, err := next()
			if err != nil {
				return err
			}
			if !more {
				break
			}
			n++
		}
		t.meter.add(1)
		if limits.InCorpus(n) == nil {
			return nil
		}
		t.count("hashes.common", 1)
		return t.emit("common", 1, 0, keyU64(append([]byte(nil), group...), uint64(n)), nil)
	})
}

// commonHashes are the hashes that too many pairs carry, with how many: 16 bytes for at least dedup.corpus_max pairs.
type commonHashes struct{ hashes, pairs []uint64 }

func (c *commonHashes) of(hash uint64) int64 {
	if i, ok := slices.BinarySearch(c.hashes, hash); ok {
		return int64(c.pairs[i])
	}
	return 0
}

func (t *task) commonHashes(ctx context.Context) (*commonHashes, error) {
	return t.once.common.get(func() (*commonHashes, error) {
		m, err := t.merged(ctx, 0, from{countCorpus.name, "common"})
		if err != nil {
			return nil, err
		}
		defer m.close()
		c := &commonHashes{}
		for {
			more, err := m.next()
			if !more || err != nil {
				return c, err
			}
			if len(m.key) != 16 {
				return nil, fmt.Errorf("%w: a common hash has another form", errDamagedShard)
			}
			c.hashes = append(c.hashes, beU64(m.key))
			c.pairs = append(c.pairs, beU64(m.key[8:]))
		}
	})
}

// doCountVerdict drops the pairs with common hashes. Outputs: "images" (by partition of the SHA-256; key SHA-256, docRef,
// place; value pair), "documents" (one partition; key docRef: those that still have an image), "rejects".
func doCountVerdict(ctx context.Context, t *task) error {
	t.declare("documents", 1)
	t.declare("images", t.cfg.Settings.Partitions)
	common, err := t.commonHashes(ctx)
	if err != nil {
		return err
	}
	m, err := t.own(ctx, from{countPages.name, "survivors"})
	if err != nil {
		return err
	}
	limits := t.cfg.Settings.limits()
	return groups(m, docKeyLen, func(group []byte, next func() (bool, error)) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		d, _, err := parseDoc(group)
		if err != nil {
			return err
		}
		kept := false
		for {
			more, err := next()
			if err != nil {
				return err
			}
			if !more {
				break
			}
			p, place, err := t.nextPair(m, len(group))
			if err != nil {
				return err
			}
			if rejection := limits.InCorpus(common.of(p.PHash)); rejection != nil {
				if err := t.rejectImage(d, d.id(), place, p.URL, rejection); err != nil {
					return err
				}
				continue
			}
			kept = true
			sum, err := hex.DecodeString(p.SHA256)
			if err != nil {
				return fmt.Errorf("%w: a hash has another form", errDamagedShard)
			}
			if err := t.emit("images", t.cfg.Settings.Partitions, t.partition(p.SHA256), append(sum, m.key...), m.value); err != nil {
				return err
			}
		}
		if kept {
			return t.emit("documents", 1, 0, group, nil)
		}
		return nil
	})
}

// nextPair reads the pair that m stands at and its place on the page of the document, whose key has n bytes.
func (t *task) nextPair(m *merge, n int) (p pair, place uint32, err error) {
	t.meter.add(1)
	if p, err = decodePair(m.value); err != nil {
		return p, 0, err
	}
	place, err = parsePlace(m.key[n:])
	return p, place, err
}

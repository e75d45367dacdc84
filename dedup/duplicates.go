package dedup

// This file is the rule on duplicates in a document. It reads perceptual hashes; a Page remembers them. (Those of the corpus are
// counted by a shuffle of the pipeline; Profile.InCorpus judges the count.)

import "math/bits"

// Page is duplicate_in_document for one page: the hashes that this rule has kept, in the page's order. The zero Page is
// empty and ready; Reset makes it so again.
type Page struct{ kept []uint64 }

// Reset forgets the page and keeps the memory.
func (d *Page) Reset() { d.kept = d.kept[:0] }

// Keep answers whether a picture within the profile's Hamming distance was kept earlier on the page, and remembers the
// picture if not. The value is the smallest distance, the limit the largest that counts as a duplicate.
func (d *Page) Keep(p *Profile, hash uint64) *Rejection {
	nearest := 65
	for _, earlier := range d.kept {
		nearest = min(nearest, bits.OnesCount64(earlier^hash))
	}
	if nearest <= p.Dedup.Hamming {
		return measured(DuplicateInDocument, float64(nearest), float64(p.Dedup.Hamming))
	}
	d.kept = append(d.kept, hash)
	return nil
}

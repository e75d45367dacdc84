package dedup

// This file is findimagedupes' grouping, for comparison with it. It reads named hashes and writes groups of names. The
// build does not use it: duplicates of a document go by Page, those of the corpus by Profile.InCorpus.

import (
	"math/bits"
	"slices"
	"sort"
)

// Named is a picture's name and its perceptual hash.
type Named struct {
	Name string
	Hash uint64
}

// Groups gives the groups that `findimagedupes -t threshold` prints, in its order: the hashes in ascending order each
// take the pictures of all later hashes within the threshold; a hash that gave its pictures away still takes others. So
// the groups depend on the order and are not transitive. Groups of one are left out; names in a group are sorted.
func Groups(pictures []Named, threshold int) [][]string {
	names := map[uint64][]string{}
	var hashes []uint64
	for _, p := range pictures {
		if names[p.Hash] == nil {
			hashes = append(hashes, p.Hash)
		}
		names[p.Hash] = append(names[p.Hash], p.Name)
	}
	slices.Sort(hashes)
	groups := [][]string{}
	for i, hash := range hashes {
		for _, later := range hashes[i+1:] {
			if bits.OnesCount64(hash^later) <= threshold {
				names[hash] = append(names[hash], names[later]...)
				names[later] = nil
			}
		}
		if group := names[hash]; len(group) > 1 {
			sort.Strings(group)
			groups = append(groups, group)
		}
	}
	return groups
}

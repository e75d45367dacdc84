// Package dedup decides what is left out of a dataset, and says why.
//
//	Profile      the limits of every rule as data; MMC4 are the paper's
//	Rules        the rules in the order in which they are applied, with their limits, for tables and reports
//	Rejection    what a rule answers: its name, the measured value, the limit, a detail - the makings of a reject row
//	PHash        the 64-bit DCT perceptual hash of a picture, bit for bit that of findimagedupes
//	Page         duplicate_in_document: the hashes kept so far on one page
//	Groups       findimagedupes' own greedy grouping, for comparison with it
//	Head         the NSFW heads and the face probe on CLIP image features
//
// A rule takes its value and nothing else, so the pipeline decides when it is asked. All bounds are inclusive: a side of
// min_side pixels passes, and a distance of hamming bits is a duplicate.
package dedup

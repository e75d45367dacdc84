package dedup

// This file is the profile: every rule's limit as data.

// Profile holds the limits of all rules.
type Profile struct {
	Name  string
	Dedup DedupLimits
	Match MatchLimits
}

// DedupLimits are the limits of the rules on URLs, pictures and features.
type DedupLimits struct {
	Extensions []string `yaml:"extensions" json:"extensions"` // without the full stop; case does not count
	URLTokens  []string `yaml:"url_tokens" json:"url_tokens"` // case counts
	MinSide    int      `yaml:"min_side" json:"min_side"`     // pixels
	MinAspect  float64  `yaml:"min_aspect" json:"min_aspect"` // width / height
	MaxAspect  float64  `yaml:"max_aspect" json:"max_aspect"`
	Hamming    int      `yaml:"hamming" json:"hamming"`       // bits, 0..64: that near is a duplicate
	CorpusMax  int      `yaml:"corpus_max" json:"corpus_max"` // (document, image) pairs with one hash
	NSFW       float64  `yaml:"nsfw" json:"nsfw"`             // largest score that passes
	Face       float64  `yaml:"face" json:"face"`             // largest score that passes
}

// MatchLimits are the limits of the rules on similarities.
type MatchLimits struct {
	MinSimilarity float64 `yaml:"min_similarity" json:"min_similarity"` // cosine, -1..1
}

// MMC4 is the profile with the numbers of the MMC4 paper (arXiv 2304.06939, section 3). Its cutoff of the face probe was
// never published: 0.5 is ours.
func MMC4() *Profile {
	return &Profile{
		Name: "mmc4",
		Dedup: DedupLimits{
			Extensions: []string{"png", "jpeg", "jpg"},
			URLTokens:  []string{"logo", "button", "icon", "plugin", "widget"},
			MinSide:    150, MinAspect: 0.5, MaxAspect: 2,
			Hamming: 5, CorpusMax: 10, NSFW: 0.1, Face: 0.5,
		},
		Match: MatchLimits{MinSimilarity: 0.15},
	}
}

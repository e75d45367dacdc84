package dedup

// This file is the profile: every rule's limit as data. It reads YAML.

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/goccy/go-yaml"
)

// Profile holds the limits of all rules. The keys of its YAML form are those of the --set flag: dedup.min_side is
// min_side below dedup.
type Profile struct {
	Name  string      `yaml:"name" json:"name"`
	Dedup DedupLimits `yaml:"dedup" json:"dedup"`
	Match MatchLimits `yaml:"match" json:"match"`
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

// LoadProfile gives the profile of this name, or reads it from a YAML file.
func LoadProfile(nameOrFile string) (*Profile, error) {
	if nameOrFile == "mmc4" {
		return MMC4(), nil
	}
	data, err := os.ReadFile(nameOrFile)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("profile %q is neither a name that is built in (mmc4) nor a file", nameOrFile)
	}
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	return ParseProfile(data, nameOrFile)
}

// ParseProfile reads a profile in YAML. Keys that it leaves out keep the limits of MMC4; unknown keys are errors. source
// stands in messages, and is the profile's name if it gives none.
func ParseProfile(data []byte, source string) (*Profile, error) {
	p := MMC4()
	p.Name = source
	if err := p.merge(data); err != nil {
		return nil, fmt.Errorf("profile %s: %w", source, err)
	}
	return p, nil
}

// Set changes one limit: the key as in dedup.min_side, the value in YAML (a list is [png, webp]).
func (p *Profile) Set(key, value string) error {
	section, name, found := strings.Cut(key, ".")
	if !found || strings.ContainsAny(key, ": \n") || strings.Contains(value, "\n") {
		return fmt.Errorf("%s=%s: not a setting such as dedup.min_side=150", key, value)
	}
	changed := *p
	if err := changed.merge([]byte(section + ":\n  " + name + ": " + value + "\n")); err != nil {
		return fmt.Errorf("%s=%s: %w", key, value, err)
	}
	*p = changed
	return nil
}

func (p *Profile) merge(data []byte) error {
	if len(strings.TrimSpace(string(data))) == 0 {
		return errors.New("there is nothing in it")
	}
	if err := yaml.UnmarshalWithOptions(data, p, yaml.DisallowUnknownField(), yaml.Strict()); err != nil {
		return err
	}
	return p.Validate()
}

// Validate names the first limit that makes no sense.
func (p *Profile) Validate() error {
	d, m := &p.Dedup, &p.Match
	switch {
	case len(d.Extensions) == 0:
		return errors.New("dedup.extensions is empty: no image could pass")
	case d.MinSide < 0:
		return fmt.Errorf("dedup.min_side is %d, but pixels cannot be negative", d.MinSide)
	case !(d.MinAspect >= 0 && d.MinAspect <= d.MaxAspect):
		return fmt.Errorf("dedup.min_aspect %v and dedup.max_aspect %v leave no shape", d.MinAspect, d.MaxAspect)
	case d.Hamming < -1 || d.Hamming > 64:
		return fmt.Errorf("dedup.hamming is %d, but hashes have 64 bits (-1 switches the rule off)", d.Hamming)
	case d.CorpusMax < 0:
		return fmt.Errorf("dedup.corpus_max is %d, but a picture counts at least once", d.CorpusMax)
	case !(m.MinSimilarity >= -1 && m.MinSimilarity <= 1):
		return fmt.Errorf("match.min_similarity is %v, but cosines lie in -1..1", m.MinSimilarity)
	case d.NSFW != d.NSFW:
		return errors.New("dedup.nsfw is not a number")
	case d.Face != d.Face:
		return errors.New("dedup.face is not a number")
	}
	for _, token := range d.URLTokens {
		if token == "" {
			return errors.New("dedup.url_tokens holds an empty token, which every URL contains")
		}
	}
	return nil
}

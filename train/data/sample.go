package data

// What goes into a maker and what comes out.

import (
	"context"
	"fmt"

	"mmc4/internal/imaging"
)

// Document is one record of a source, whatever form it was kept in.
type Document struct {
	ID         string // doc_id, or the place of the record where a form has none
	Sentences  []string
	Images     []Image
	Similarity [][]float64 // rows = Images, columns = Sentences; nil where the form has none
	Captions   []string    // of Images[0], for pairs and drawings
	Likeness               // of what Images[0] and Captions are about, where the form says it
	Tokens     []int32     // ready ids, for text that was packed before
	Features   []float32   // of a picture that was embedded before, for probes
	Bad        string      // why the record cannot be read; everything else is then empty
	Generated  string      // text with _!_IMAGEk_!_ places (MMC4's ChatGPT sequences), or ""
}

// Likeness says which pairs are no strangers to each other. Nothing is said where a string is empty.
type Likeness struct {
	Topic string // what it is about: only samples of different topics have nothing to do with each other
	Thing string // what it shows, exactly: a text about a thing fits every picture of it
}

// Image is a picture of a document that is not decoded yet.
type Image struct {
	Name    string
	Matched int // index of the sentence that the form names; -1 where it names none
	// Load gives the encoded bytes; nil where the picture is known to be missing. It is called on worker goroutines.
	Load func(ctx context.Context) ([]byte, error)
	// Square are pixels in the model's size that need no decoding, or nil.
	Square *imaging.RGB
}

// Picture is a decoded picture of a sample.
type Picture struct {
	Index  int          // in Document.Images
	Square *imaging.RGB // in the model's size; nil when Rules.Preprocess has no size
}

// Sample is one sequence.
type Sample struct {
	ID       string
	IDs      []int32   // not padded
	Labels   []int32   // kernels.IgnoreLabel where there is no loss; as long as IDs
	Images   []Picture // slot k is what the (k+1)-th <image> sees
	Features []float32 // of probes
	Likeness
	Flipped bool
	Notes   []Reject // pictures that were left out
	Dropped *Reject  // why there is no sequence; the sample then has only its ID
}

// LossTokens is the number of tokens that are predicted: labels but for the first place, which nothing predicts.
func (s *Sample) LossTokens() int {
	n := 0
	for i, label := range s.Labels {
		if i > 0 && label >= 0 {
			n++
		}
	}
	return n
}

// Reject says what was left out and by which rule.
type Reject struct {
	ID     string  `json:"doc_id"`
	Rule   string  `json:"rule"`
	Image  string  `json:"image,omitempty"`
	Value  float64 `json:"value,omitempty"`
	Limit  float64 `json:"limit,omitempty"`
	Detail string  `json:"detail,omitempty"`
}

func (r Reject) String() string {
	s := fmt.Sprintf("%s: %s", r.ID, r.Rule)
	if r.Image != "" {
		s += " (" + r.Image + ")"
	}
	if r.Detail != "" {
		s += ": " + r.Detail
	}
	return s
}

// Rules of rejects.
const (
	RuleNoImage         = "no_image"          // no picture is left
	RuleTooFew          = "too_few_images"    // fewer markers than min_images after truncation
	RuleCoin            = "coin"              // one picture alone, dropped by chance
	RuleSingleImageLast = "single_image_last" // the only marker is the last token
	RuleBadBase64       = "bad_base64"
	RuleBadImage        = "bad_image"  // cannot be decoded, or is missing
	RuleBadMatrix       = "bad_matrix" // similarity_matrix does not fit images and sentences, or an index is out of range
	RuleSmall           = "min_bytes"
	RuleSimilarity      = "similarity"
	RuleSurplus         = "max_images"
	RuleNoLoss          = "no_loss_tokens"
	RuleBadRecord       = "bad_record"
)

// Maker makes a sample of a document. It is called from several goroutines at once, and depends on its arguments alone.
type Maker interface {
	Make(ctx context.Context, d *Document, draws Draws) *Sample
}

// dropped is the sample of a document without a sequence.
func dropped(d *Document, r Reject, notes []Reject) *Sample {
	r.ID = d.ID
	return &Sample{ID: d.ID, Dropped: &r, Notes: notes}
}

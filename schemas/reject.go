package schemas

// The rejects table: one row for everything that was left out, with the rule, the measured value and its limit.

// Reject is a row of rejects. A nil pointer is a null: it does not apply to the rule.
type Reject struct {
	Stage    string   `parquet:"stage,dict"`
	Rule     string   `parquet:"rule,dict"`
	DocID    *string  `parquet:"doc_id,optional"`
	URL      *string  `parquet:"url,optional"`       // of the document
	ImageURL *string  `parquet:"image_url,optional"` // absolute, fragment removed; as found where no URL could be made
	Value    *float64 `parquet:"value,optional"`     // what was measured
	Limit    *float64 `parquet:"limit,optional"`     // what it was held against
	Detail   *string  `parquet:"detail,optional"`
}

// Values of Reject.Rule. The rules on images stand in the order in which profile mmc4 applies them.
const (
	RuleBadCandidate      = "bad_candidate" // no http(s) URL; Detail: empty, data, invalid, scheme
	RuleExtension         = "extension"
	RuleURLToken          = "url_token"
	RuleFetch             = "fetch" // every outcome but ok; Detail: the outcome
	RuleMinSide           = "min_side"
	RuleAspect            = "aspect"
	RuleDuplicateInDoc    = "duplicate_in_document"
	RuleDuplicateInCorpus = "duplicate_in_corpus"
	RuleNSFW              = "nsfw"
	RuleFace              = "face"
	RuleSimilarity        = "similarity"

	RuleBadRecord = "bad_record" // an input line, record or document that cannot be used; Detail: where and why
	RuleNoPage    = "no_page"    // no capture in the crawl's files
	RuleNoImage   = "no_image"   // no image of the page was kept
)

// ImageRules lists the rules on images in the order in which they are applied.
var ImageRules = []string{RuleBadCandidate, RuleExtension, RuleURLToken, RuleFetch, RuleMinSide, RuleAspect,
	RuleDuplicateInDoc, RuleDuplicateInCorpus, RuleNSFW, RuleFace, RuleSimilarity}

// DocumentRules lists the rules on documents.
var DocumentRules = []string{RuleBadRecord, RuleNoPage, RuleNoImage}

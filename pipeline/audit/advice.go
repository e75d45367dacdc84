package audit

// What to do about a cause of loss, in plain words; which limit decides, and how it is changed.

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"mmc4/pipeline"
	"mmc4/schemas"
)

var ruleAdvice = map[string]string{
	schemas.RuleBadCandidate:      "the page names no http(s) URL (inline data, empty or broken attributes): nothing can be fetched, nothing to do",
	schemas.RuleExtension:         "the path ends in none of dedup.extensions; profile mmc4 takes png, jpeg and jpg only. Others can be admitted, and will be fetched",
	schemas.RuleURLToken:          "the URL contains a word of site furniture (dedup.url_tokens). Look at the examples: if real pictures are lost, shorten the list",
	schemas.RuleMinSide:           "the picture is too small: spacers, thumbnails, badges. Usually right",
	schemas.RuleAspect:            "the picture is too long or too tall: banners, rules, skyscrapers. Usually right",
	schemas.RuleDuplicateInDoc:    "nearly the same picture stood earlier on the page: sizes of one picture, repeated headings. Usually right",
	schemas.RuleDuplicateInCorpus: "the same picture stands in many documents: logos, avatars, advertisements. Usually right",
	schemas.RuleNSFW:              "the NSFW head scored the picture above dedup.nsfw",
	schemas.RuleFace:              "the face probe scored the picture above dedup.face",
	schemas.RuleSimilarity:        "no sentence of the document is near enough to the picture: decoration, or a model that does not know the subject. Look at the histogram in report.html before lowering the limit",
	schemas.RuleBadRecord:         "an input line or record could not be used; the detail names file and line. If there are many, an input file may be damaged: fetch it again",
	schemas.RuleNoPage:            "no capture of the document's URL in the crawl files that were given. C4 was made from the crawl of April 2019 (CC-MAIN-2019-18): give the files that hold these pages, all segments if in doubt",
	schemas.RuleNoImage:           "the page has no picture that passed: see the causes above for where they went, or the page had none",
}

var outcomeAdvice = map[string]string{
	"opt_out":          "the site asks not to be used for training (X-Robots-Tag, noai, TDM headers): respected, nothing to do",
	"robots":           "robots.txt forbids it to mmc4: respected, nothing to do",
	"timeout":          "the host did not answer in time. If it is many hosts at once, the machine's own line may be full: fewer network.connections, or longer network.*_timeout, and run again into a new RUN",
	"too_large":        "more bytes than fetch.max_bytes: raise it with --set fetch.max_bytes=N if these pictures are wanted",
	"too_many_pixels":  "more pixels than max_pixels: raise it with --set max_pixels=N if memory allows",
	"not_image":        "the server sent something else than a picture, mostly an HTML page that says it is gone: link rot, nothing to do",
	"decode_error":     "the picture's data are damaged: nothing to do, unless one format stands out (then see `mmc4 doctor` for its decoder)",
	"truncated":        "the data end too early: a broken file on the server, or a line that drops connections",
	"empty":            "the server sent no bytes: nothing to do",
	"redirect_loop":    "redirects without an end, often to a login page: nothing to do",
	"redirect_refused": "a redirect led to a private or otherwise refused address: refused on purpose, nothing to do",
	"protocol_error":   "the server does not speak HTTP as it should: nothing to do",
	"reset":            "the server closed the connection. If it is one host, it may block crawlers: see --contact, and lower network.per_host_rate",
	"tls":              "no secure connection could be made: expired or wrong certificates. If it is every host, check the machine's clock and its CA certificates",
	"dns":              "the host has no address any more: link rot. If it is nearly every host, check the resolver: `getent hosts HOST` on this machine",
	"connect":          "nobody listens there: link rot. If it is nearly every host, check firewall and proxy (--proxy)",
}

// advice is what to do about a cause.
func advice(rule, detail string) string {
	if rule != schemas.RuleFetch {
		return ruleAdvice[rule]
	}
	if text, ok := outcomeAdvice[detail]; ok {
		return text
	}
	code, err := strconv.Atoi(strings.TrimPrefix(detail, "http_"))
	switch {
	case err != nil:
		return ""
	case code == 404 || code == 410:
		return "link rot, nothing to do"
	case code == 401 || code == 403 || code == 451:
		return "the server refuses. If it is many hosts, they may not like the User-Agent: give a --contact that people can reach; otherwise nothing to do"
	case code == 429:
		return "too many requests for that host's taste: lower network.per_host_rate, and run again into a new RUN"
	case code >= 500:
		return "the server has trouble; it was asked again (fetch.attempts). Worth another run some days later"
	}
	return "the server answers with something else than the picture: nothing to do"
}

// changed gives a rule's key of --set, and a limit that lets more through.
func changed(rule string, s *pipeline.Settings) (key string, limits [2]float64) {
	d := &s.Dedup
	switch rule {
	case schemas.RuleMinSide:
		return "dedup.min_side", [2]float64{math.Round(float64(d.MinSide) * 2 / 3)}
	case schemas.RuleAspect:
		return "dedup.max_aspect", [2]float64{round(d.MinAspect / 1.5), round(d.MaxAspect * 1.5)}
	case schemas.RuleDuplicateInDoc:
		return "dedup.hamming", [2]float64{math.Floor(float64(d.Hamming) / 2)}
	case schemas.RuleDuplicateInCorpus:
		return "dedup.corpus_max", [2]float64{float64(2 * d.CorpusMax)}
	case schemas.RuleNSFW:
		return "dedup.nsfw", [2]float64{min(1, round(d.NSFW*2))}
	case schemas.RuleFace:
		return "dedup.face", [2]float64{min(1, round(d.Face*1.5))}
	case schemas.RuleSimilarity:
		return "match.min_similarity", [2]float64{round(s.Match.MinSimilarity * 0.8)}
	}
	return "", limits
}

func round(v float64) float64 { return math.Round(v*1000) / 1000 }

// suggestion is a --set that lets more through a rule.
func suggestion(rule string, s *pipeline.Settings) string {
	switch rule {
	case schemas.RuleExtension:
		return fmt.Sprintf("--set 'dedup.extensions=[%s, webp, gif]'", strings.Join(s.Dedup.Extensions, ", "))
	case schemas.RuleURLToken:
		if n := len(s.Dedup.URLTokens); n > 1 {
			return fmt.Sprintf("--set 'dedup.url_tokens=[%s]'", strings.Join(s.Dedup.URLTokens[:n-1], ", "))
		}
		return ""
	}
	key, limits := changed(rule, s)
	switch {
	case key == "":
		return ""
	case rule == schemas.RuleAspect:
		return fmt.Sprintf("--set dedup.min_aspect=%g --set dedup.max_aspect=%g", limits[0], limits[1])
	}
	return fmt.Sprintf("--set %s=%g", key, limits[0])
}

// wouldPass tells whether a measured value passes the limit that suggestion names.
func (s *scan) wouldPass(r *schemas.Reject) bool {
	key, limits := changed(r.Rule, &s.limits)
	v := *r.Value
	switch r.Rule {
	case schemas.RuleMinSide, schemas.RuleSimilarity:
		return v >= limits[0]
	case schemas.RuleAspect:
		return v >= limits[0] && v <= limits[1]
	case schemas.RuleDuplicateInDoc:
		return v > limits[0]
	}
	return key != "" && v <= limits[0]
}

// changeWords tells how a limit is changed with what the run has: bytes, and features where they are not touched.
func changeWords(run string) string {
	run = strings.TrimSuffix(run, "/")
	return fmt.Sprintf("mmc4 build (the arguments of %s) --from %s --out %s --set KEY=VALUE", run, quoted(run), quoted(run+"-2"))
}

// quoted is a path as a shell takes it.
func quoted(path string) string {
	if strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-:=@%+,") == "" {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

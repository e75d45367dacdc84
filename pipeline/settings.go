package pipeline

// Settings from YAML and from --set, strictly; and the check of every value.

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"mmc4/configs"
)

// LoadSettings reads YAML over s: keys that are absent keep their value, unknown keys are an error.
func (s *Settings) LoadSettings(data []byte, name string) error {
	merged := *s
	merged.Dedup.Extensions, merged.Dedup.URLTokens = nil, nil
	if err := configs.Decode(name, data, &merged); err != nil {
		return usage("%v", err)
	}
	if merged.Dedup.Extensions == nil {
		merged.Dedup.Extensions = s.Dedup.Extensions
	}
	if merged.Dedup.URLTokens == nil {
		merged.Dedup.URLTokens = s.Dedup.URLTokens
	}
	*s = merged
	return nil
}

// Set applies one --set: match.min_similarity=0.2.
func (s *Settings) Set(assignment string) error {
	key, value, ok := strings.Cut(assignment, "=")
	if !ok || key == "" {
		return usage("--set %q: it must be KEY=VALUE, such as match.min_similarity=0.2", assignment)
	}
	var b strings.Builder
	parts := strings.Split(strings.TrimSpace(key), ".")
	for depth, part := range parts {
		fmt.Fprintf(&b, "%s%s:", strings.Repeat("  ", depth), part)
		if depth == len(parts)-1 {
			b.WriteString(" " + value)
		}
		b.WriteString("\n")
	}
	var tree any
	if yaml.Unmarshal([]byte(b.String()), &tree) == nil { // said of the option, not of lines that nobody wrote
		if err := configs.Misfit(tree, s); err != nil {
			return usage("--set %s: %v", assignment, err)
		}
	}
	return s.LoadSettings([]byte(b.String()), "--set "+assignment)
}

// Check refuses values that make no sense.
func (s *Settings) Check() error {
	oneOf := func(key, value string, allowed ...string) error {
		for _, a := range allowed {
			if value == a {
				return nil
			}
		}
		return usage("%s is %q; it must be one of %s", key, value, strings.Join(allowed, ", "))
	}
	if err := oneOf("pairs.form", s.Pairs.Form, "", "both", "parquet", "webdataset"); err != nil {
		return err
	}
	if err := oneOf("candidates", s.Candidates, "src", "all"); err != nil {
		return err
	}
	if err := oneOf("images", s.Images, "bytes", "files", "none"); err != nil {
		return err
	}
	if _, err := resizeSide(s.Resize); err != nil {
		return err
	}
	d, n := s.Dedup, s.Network
	if len(d.Extensions) == 0 {
		return usage("dedup.extensions is empty: no image could pass")
	}
	if slices.Contains(d.URLTokens, "") {
		return usage("dedup.url_tokens holds an empty token, which every URL contains")
	}
	for _, c := range []struct {
		key    string
		value  float64
		lo, hi float64
	}{
		{"parts", float64(s.Parts), 0, 100_000}, {"partitions", float64(s.Partitions), 1, 10_000},
		{"max_pixels", float64(s.MaxPixels), 1, 1 << 32},
		{"dedup.min_side", float64(d.MinSide), 0, 1 << 20}, {"dedup.min_aspect", d.MinAspect, 0, 1e6},
		{"dedup.max_aspect", d.MaxAspect, d.MinAspect, math.MaxFloat64}, {"dedup.hamming", float64(d.Hamming), 0, 64},
		{"dedup.corpus_max", float64(d.CorpusMax), 0, math.MaxInt32}, {"dedup.nsfw", d.NSFW, 0, 1}, {"dedup.face", d.Face, 0, 1},
		{"pairs.min_side", float64(s.Pairs.MinSide), 0, 1 << 20}, {"pairs.max_aspect", s.Pairs.MaxAspect, 0, 1e6},
		{"match.min_similarity", s.Match.MinSimilarity, -1, 1},
		{"fetch.max_bytes", float64(s.Fetch.MaxBytes), 1, 1 << 30}, {"fetch.redirects", float64(s.Fetch.Redirects), 0, 50},
		{"fetch.attempts", float64(s.Fetch.Attempts), 1, 100},
		{"network.per_host", float64(n.PerHost), 1, 1000}, {"network.per_host_rate", n.PerHostRate, 1e-3, 1e6},
		{"network.connections", float64(n.Connections), 1, 65536}, {"network.dns_timeout", n.DNS, 1e-3, 3600},
		{"network.connect_timeout", n.Connect, 1e-3, 3600}, {"network.tls_timeout", n.TLS, 1e-3, 3600},
		{"network.first_byte_timeout", n.FirstByte, 1e-3, 3600}, {"network.stall_timeout", n.Stall, 1e-3, 3600},
		{"network.total_timeout", n.Total, 1e-3, 86400},
	} {
		if !(c.value >= c.lo && c.value <= c.hi) {
			return usage("%s is %v; it must lie between %v and %v", c.key, c.value, c.lo, c.hi)
		}
	}
	return nil
}

// resizeSide reads --resize: mmc4 is 800, none is 0.
func resizeSide(s string) (int, error) {
	switch s {
	case "mmc4":
		return 800, nil
	case "none":
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 65535 {
		return 0, usage("resize is %q; it must be mmc4, none, or the longest side in pixels (1 to 65535)", s)
	}
	return n, nil
}

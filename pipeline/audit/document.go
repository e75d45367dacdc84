package audit

// One row of docs, looked at by itself.

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strconv"

	"mmc4/internal/storage"
	"mmc4/match"
	"mmc4/pipeline"
	"mmc4/schemas"
)

// document checks a row of docs; solver is the caller's.
func (c *checker) document(ctx context.Context, part int, row Row[schemas.Document], solver *match.Solver) error {
	d := row.Value
	name := pipeline.PartName(docsTable, part)
	wrong := func(format string, args ...any) { c.found.row(name, row.Number, format, args...) }
	if err := d.Validate(); err != nil {
		wrong("%v", err)
		return nil // the columns do not fit together: the rest would only say so again
	}
	if at := pipeline.PartOf(d.URL, c.parts); at != part {
		wrong("%s belongs to part %d", d.URL, at)
	}
	if len(d.ImageInfo) == 0 {
		wrong("document %s has no image", d.DocID)
	}
	for i, s := range d.SimilarityMatrix {
		for j, v := range s {
			if !(v >= -1.001 && v <= 1.001) {
				wrong("the similarity of image %d and sentence %d is %g, which is no cosine", i, j, v)
			}
		}
	}
	c.assignment(d, solver, wrong)
	c.page(&d.Page, wrong)
	var hashes []uint64
	for i := range d.ImageInfo {
		m := &d.ImageInfo[i]
		about := func(format string, args ...any) { wrong("image %s: %s", m.RawURL, fmt.Sprintf(format, args...)) }
		hash, err := strconv.ParseUint(m.PHash, 16, 64)
		if err != nil || len(m.PHash) != 16 {
			about("phash %q is not 16 hex digits", m.PHash)
		}
		for j, other := range hashes {
			if n := bits.OnesCount64(hash ^ other); n <= c.limits.Dedup.Hamming {
				about("its phash is %d bits from that of %s, which is a duplicate (limit %d)", n, d.ImageInfo[j].RawURL, c.limits.Dedup.Hamming)
			}
		}
		hashes = append(hashes, hash)
		c.image(m, d.SimilarityMatrix[i], about)
		asFetched, err := c.stored(ctx, m, hash, about)
		if err != nil {
			return err
		}
		if err := c.urls.add(keptEntry(m, hash, asFetched, part, row.Number)); err != nil {
			return err
		}
	}
	return nil
}

// assignment compares the sentences that the images have with those that they should have.
func (c *checker) assignment(d *schemas.Document, solver *match.Solver, wrong func(string, ...any)) {
	want, err := solver.Assign(nil, d.SimilarityMatrix)
	if err != nil {
		wrong("document %s: %v", d.DocID, err)
		return
	}
	var sum, best float64
	got := make([]int, len(want))
	for i := range d.ImageInfo {
		got[i] = int(d.ImageInfo[i].MatchedTextIndex)
		sum += float64(d.SimilarityMatrix[i][got[i]])
		best += float64(d.SimilarityMatrix[i][want[i]])
	}
	if !slices.Equal(got, want) {
		wrong("document %s: the images stand at sentences %v (similarities add up to %.6f), the assignment is %v (%.6f)", d.DocID, got, sum, want, best)
	}
}

func (c *checker) page(p *schemas.Page, wrong func(string, ...any)) {
	if p.Route != schemas.RouteWAT && p.Route != schemas.RouteWARC {
		wrong("page.route is %q", p.Route)
	}
	if p.Match != schemas.MatchExact && p.Match != schemas.MatchSURT {
		wrong("page.match is %q", p.Match)
	}
	if p.WARCFilename == "" || p.WARCOffset < 0 || p.WARCLength < 0 {
		wrong("page: %q at %d, %d bytes, is no place in a crawl", p.WARCFilename, p.WARCOffset, p.WARCLength)
	}
}

// image applies the rules that a kept image has passed.
func (c *checker) image(m *schemas.ImageInfo, similarities []float32, wrong func(string, ...any)) {
	if len(m.SHA256) != 64 {
		wrong("sha256 %q is not 64 hex digits", m.SHA256)
	}
	if want := schemas.ImageName(m.SHA256, m.MediaType); m.ImageName != want {
		wrong("image_name is %s, should be %s", m.ImageName, want)
	}
	_, best := match.Best(similarities)
	rejections := []rejection{c.limits.URL(m.RawURL), c.limits.Size(int(m.OriginalWidth), int(m.OriginalHeight)), c.limits.Similar(best)}
	for _, score := range []struct {
		rule  string
		on    bool
		value *float32
		limit func(float32) rejection
	}{{schemas.RuleNSFW, c.manifest.Profile.NSFW != "", m.NSFW, c.limits.NSFWScore}, {schemas.RuleFace, c.manifest.Profile.Faces != "", m.Face, c.limits.FaceScore}} {
		switch {
		case score.on != (score.value != nil):
			wrong("%s has a value if and only if the rule is on", score.rule)
		case score.on && score.value != nil:
			rejections = append(rejections, score.limit(*score.value))
		}
	}
	for _, r := range rejections {
		if r == nil {
			continue
		}
		detail := r.Detail
		if r.Value != nil {
			detail = fmt.Sprintf("%g, limit %g", *r.Value, *r.Limit)
		}
		wrong("rule %s rejects it (%s)", r.Rule, detail)
	}
}

// stored checks the form in which the picture is kept, and tells whether it is the fetched one (true where it is not kept).
func (c *checker) stored(ctx context.Context, m *schemas.ImageInfo, hash uint64, wrong func(string, ...any)) (asFetched bool, err error) {
	side := int32(c.settings.LongestSide())
	longest := max(m.OriginalWidth, m.OriginalHeight)
	switch {
	case c.settings.Images == "none" || side == 0 || longest <= side:
		if m.Width != m.OriginalWidth || m.Height != m.OriginalHeight {
			wrong("%d x %d is kept as %d x %d, though it need not be shrunk", m.OriginalWidth, m.OriginalHeight, m.Width, m.Height)
		}
	default:
		scale := float64(side) / float64(longest)
		off := func(kept, original int32) bool { return math.Abs(float64(kept)-max(1, float64(original)*scale)) > 1 }
		if max(m.Width, m.Height) != side || off(m.Width, m.OriginalWidth) || off(m.Height, m.OriginalHeight) {
			wrong("%d x %d is kept as %d x %d: the longer side should be %d, and the shape the same", m.OriginalWidth, m.OriginalHeight, m.Width, m.Height, side)
		}
	}
	data := m.Bytes
	switch c.settings.Images {
	case "none":
		if data != nil {
			wrong("it has bytes, though the run keeps none")
		}
		return true, nil
	case "files":
		if data != nil {
			wrong("it has bytes, though the run keeps pictures as files")
		}
		name := "files/" + m.ImageName
		if c.outputs[name].Name == "" {
			wrong("the manifest does not name %s", name)
			return true, nil
		}
		if data, err = storage.ReadFile(ctx, c.run, name); err != nil {
			if !errors.Is(err, storage.ErrNotExist) { // a file that is missing has been said already
				wrong("%s: %v", name, err)
			}
			return true, ctx.Err()
		}
	}
	return c.pixels(data, m, hash, wrong), nil
}

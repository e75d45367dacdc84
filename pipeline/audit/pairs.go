package audit

// A run over lists: one part of pairs, its tar and its rejects; the sums; advice.

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"mmc4/internal/storage"
	"mmc4/pipeline"
	"mmc4/schemas"
)

// pairsPart checks one part of pairs with its tar, and of rejects.
func (c *checker) pairsPart(ctx context.Context, part int) error {
	name := pipeline.PartName(pairsTable, part)
	t := newTally()
	tar, err := c.openTar(ctx, part)
	if err != nil {
		return err
	}
	defer tar.close()
	var failed error
	last := map[string]int64{} // by list: rows of one list are in order
	for row, err := range Rows[schemas.Pair](ctx, c.run, name) {
		if err != nil {
			failed = err
			break
		}
		p := row.Value
		wrong := func(format string, args ...any) {
			c.found.row(name, row.Number, "%s: %s", p.PairID, fmt.Sprintf(format, args...))
		}
		if before, ok := last[p.ListFile]; ok && before >= p.ListRow && !c.twoLists(p.ListFile) {
			wrong("row %d of %s comes after row %d", p.ListRow, p.ListFile, before)
		}
		last[p.ListFile] = p.ListRow
		t.images++
		if err := c.pair(ctx, part, row, tar.next(p, wrong), wrong); err != nil {
			return err
		}
	}
	if failed == nil {
		tar.ended()
	}
	rejects := pipeline.PartName(rejectsTable, part)
	pc := &partChecker{checker: c, part: part, rejectsName: rejects, tally: t}
	var failedRejects error
	for row, err := range Rows[schemas.Reject](ctx, c.run, rejects) {
		if err != nil {
			failedRejects = err
			break
		}
		if err := pc.pairReject(row); err != nil {
			return err
		}
	}
	c.mu.Lock()
	c.tally.add(t)
	c.mu.Unlock()
	if err := c.ended(ctx, name, t.images, failed); err != nil {
		return err
	}
	return c.ended(ctx, rejects, t.rejects, failedRejects)
}

// twoLists tells whether two lists have one name.
func (c *checker) twoLists(name string) bool { return len(c.listsNamed(name)) > 1 }

// listsNamed gives the numbers of the lists of a name.
func (c *checker) listsNamed(name string) []uint32 {
	var out []uint32
	for i, in := range c.manifest.Inputs {
		if path.Base(strings.ReplaceAll(in.Location, "\\", "/")) == name {
			out = append(out, uint32(i))
		}
	}
	return out
}

// pair checks a row of pairs; picture is the one in the tar, nil where there is none.
func (c *checker) pair(ctx context.Context, part int, row Row[schemas.Pair], picture []byte, wrong func(string, ...any)) error {
	p := row.Value
	if !slices.ContainsFunc(c.listsNamed(p.ListFile), func(list uint32) bool { return schemas.PairID(p.URL, p.Caption, list, p.ListRow) == p.PairID }) {
		wrong("pair_id is not that of its url, caption and place")
	}
	if at := pipeline.PartOf(p.URL, c.parts); at != part {
		wrong("%s belongs to part %d", p.URL, at)
	}
	if strings.TrimSpace(p.Caption) == "" {
		wrong("it has no caption")
	}
	hash, err := strconv.ParseUint(p.PHash, 16, 64)
	if err != nil || len(p.PHash) != 16 {
		wrong("phash %q is not 16 hex digits", p.PHash)
	}
	if len(p.SHA256) != 64 {
		wrong("sha256 %q is not 64 hex digits", p.SHA256)
	}
	if want := schemas.ImageName(p.SHA256, p.MediaType); p.ImageName != want {
		wrong("image_name is %s, should be %s", p.ImageName, want)
	}
	if scored := c.settings.Pairs.Score; scored != (p.Similarity != nil) {
		wrong("similarity has a value if and only if the run has a model")
	} else if scored && !(*p.Similarity >= -1.001 && *p.Similarity <= 1.001) {
		wrong("the similarity is %g, which is no cosine", *p.Similarity)
	}
	rejections := []rejection{c.limits.Size(int(p.OriginalWidth), int(p.OriginalHeight))}
	if p.Similarity != nil {
		rejections = append(rejections, c.limits.Similar(*p.Similarity))
	}
	for _, r := range rejections {
		if r != nil {
			wrong("rule %s rejects it (%g, limit %g)", r.Rule, *r.Value, *r.Limit)
		}
	}
	m := &schemas.ImageInfo{ImageName: p.ImageName, RawURL: p.URL, Width: p.Width, Height: p.Height, OriginalWidth: p.OriginalWidth,
		OriginalHeight: p.OriginalHeight, MediaType: p.MediaType, SHA256: p.SHA256, PHash: p.PHash, Bytes: p.Bytes}
	switch inBytes := c.settings.PairsInBytes(); {
	case inBytes != (p.Bytes != nil):
		wrong("it has bytes if and only if the run puts pictures there")
	case picture != nil && inBytes && !bytes.Equal(picture, p.Bytes):
		wrong("the tar has another picture")
	case picture != nil && c.settings.Images == "bytes":
		m.Bytes = picture
	}
	asFetched, err := c.stored(ctx, m, hash, wrong)
	if err != nil {
		return err
	}
	return c.urls.add(keptEntry(m, hash, asFetched, part, row.Number))
}

// pairReject checks a reject of a run over lists.
func (p *partChecker) pairReject(row Row[schemas.Reject]) error {
	r := row.Value
	p.reject(row)
	wrong := func(format string, args ...any) { p.found.row(p.rejectsName, row.Number, format, args...) }
	if !slices.Contains(pipeline.PairRules, r.Rule) {
		wrong("rule %s is none of those on pairs", r.Rule)
		return nil
	}
	if r.Rule == schemas.RuleBadRecord || r.Rule == schemas.RuleBadCandidate {
		return nil
	}
	if r.ImageURL == nil || r.DocID == nil {
		wrong("rule %s has no image_url or no doc_id", r.Rule)
		return nil
	}
	if at := pipeline.PartOf(*r.ImageURL, p.parts); at != p.part {
		wrong("%s belongs to part %d", *r.ImageURL, at)
	}
	if e := rejectEntry(r, p.part, row.Number); e != nil {
		return p.urls.add(e)
	}
	return nil
}

// tarCursor goes through a part's tar beside its rows; nil where the run makes none.
type tarCursor struct {
	c      *checker
	name   string
	object storage.Object
	r      *tar.Reader
	broken bool // what follows was not compared
}

func (c *checker) openTar(ctx context.Context, part int) (*tarCursor, error) {
	name := pipeline.WebDatasetName(part)
	if !c.settings.PairsInTars() {
		return nil, nil
	}
	o, err := c.run.Open(ctx, name)
	if errors.Is(err, storage.ErrNotExist) {
		return nil, nil // that it is missing was said already
	}
	if err != nil {
		return nil, err
	}
	return &tarCursor{c: c, name: name, object: o, r: tar.NewReader(storage.Reader(ctx, o))}, nil
}

func (t *tarCursor) close() {
	if t != nil {
		t.object.Close()
	}
}

// next reads the three members of a pair, compares text and JSON, and gives the picture.
func (t *tarCursor) next(p *schemas.Pair, wrong func(string, ...any)) []byte {
	if t == nil || t.broken {
		return nil
	}
	var picture []byte
	for _, ending := range []string{path.Ext(p.ImageName), ".json", ".txt"} {
		data, err := t.member(p.PairID + ending)
		if err != nil {
			t.broken = true
			t.c.found.file(t.name, "%v", err)
			return nil
		}
		switch ending {
		case ".txt":
			if string(data) != p.Caption {
				wrong("the tar has another caption")
			}
		case ".json":
			var said schemas.Pair
			row := *p
			row.Bytes = nil
			a, _ := json.Marshal(row)
			if err := json.Unmarshal(data, &said); err != nil {
				wrong("the tar has another description: %v", err)
			} else if b, _ := json.Marshal(said); !bytes.Equal(a, b) {
				wrong("the tar has another description")
			}
		default:
			picture = data
		}
	}
	return picture
}

// maxMember is the largest member of a tar that is read.
const maxMember = 1 << 30

func (t *tarCursor) member(want string) ([]byte, error) {
	h, err := t.r.Next()
	if err == io.EOF {
		return nil, fmt.Errorf("it ends before %s", want)
	}
	if err != nil {
		return nil, err
	}
	if h.Name != want || h.Size > maxMember {
		return nil, fmt.Errorf("%q (%d bytes) stands where %s should", h.Name, h.Size, want)
	}
	return io.ReadAll(t.r)
}

// ended looks whether the tar ends with the rows.
func (t *tarCursor) ended() {
	if t == nil || t.broken {
		return
	}
	if h, err := t.r.Next(); err == nil {
		t.c.found.file(t.name, "%q is in no row of pairs", h.Name)
	} else if err != io.EOF {
		t.c.found.file(t.name, "%v", err)
	}
}

// pairSums closes the books of a run over lists.
func (c *checker) pairSums() {
	for _, out := range c.manifest.Outputs {
		if rows, read := c.rows[out.Name]; read && rows != out.Rows {
			c.found.file(out.Name, "it has %d rows, the manifest says %d", rows, out.Rows)
		}
	}
	same := func(what string, said, got int64) {
		if said != got {
			c.found.file(pipeline.ManifestName, "%s is %d, the files have %d", what, said, got)
		}
	}
	t, counts := c.tally, c.manifest.Counts
	same(`counts["pairs.kept"]`, counts["pairs.kept"], t.images)
	same(`counts["pairs.rows"]`, counts["pairs.rows"], t.images+t.rejects)
	for _, rule := range pipeline.PairRules {
		same(`counts["rejects.`+rule+`"]`, counts["rejects."+rule], t.rules[rule])
	}
	for _, outcome := range c.outcomes() {
		same(`counts["images.`+outcome+`"]`, counts["images."+outcome], t.outcomes[outcome])
	}
	reached := counts["pairs.rows"]
	for _, step := range c.manifest.Funnel {
		same("funnel, reached "+step.Rule, step.Reached, reached)
		same("funnel, left out by "+step.Rule, step.Left, t.rules[step.Rule])
		reached -= t.rules[step.Rule]
	}
}

// pairAdvice is what to do about a cause of loss of pairs, where it is not what documents are told.
func pairAdvice(rule, advice, set string, s *pipeline.Settings) (string, string) {
	switch rule {
	case schemas.RuleBadRecord:
		return "a row could not be used; the detail names list and row, and why (no caption, not UTF-8, broken JSON)", ""
	case schemas.RuleBadCandidate:
		return "the row has no http(s) URL: nothing can be fetched, nothing to do", ""
	case schemas.RuleMinSide:
		return "the picture is smaller than pairs.min_side", fmt.Sprintf("--set pairs.min_side=%d", s.Pairs.MinSide*2/3)
	case schemas.RuleAspect:
		return "the picture is longer or taller than pairs.max_aspect", fmt.Sprintf("--set pairs.max_aspect=%g", round(s.Pairs.MaxAspect*1.5))
	case schemas.RuleSimilarity:
		return "picture and caption are not near enough for the model. Look at some before lowering the limit", set
	}
	return advice, set
}

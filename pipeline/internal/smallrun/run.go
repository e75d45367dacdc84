// Package smallrun makes a tiny finished run by hand, for the tests of those who read runs: documents with drawn pictures,
// a reject of most rules, outcomes, and a manifest that fits. Change alters it before it is written.
package smallrun

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"mmc4/dedup"
	"mmc4/internal/imaging"
	"mmc4/match"
	"mmc4/pipeline"
	"mmc4/schemas"
)

// Parts is the number of files of each table.
const Parts = 2

// Tables are the rows of a run and its manifest, before the rows are dealt to parts.
type Tables struct {
	Docs     []schemas.Document
	Rejects  []schemas.Reject
	Images   []schemas.ImageRow
	Manifest *pipeline.Manifest
}

// Write makes a run in a new folder; change, which may be nil, alters its rows before counts and files are made, and
// damage, which may be nil, the counts after.
func Write(t testing.TB, change func(*Tables), damage func(*pipeline.Manifest)) string {
	t.Helper()
	w := tables(t)
	if change != nil {
		change(w)
	}
	return w.write(t, damage)
}

// Picture draws blocks of colours that depend on a seed, as PNG.
func Picture(seed uint64, width, height int) []byte {
	rnd := rand.New(rand.NewPCG(seed, 7))
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	var colours [64]color.NRGBA
	for i := range colours {
		colours[i] = color.NRGBA{uint8(rnd.Uint32()), uint8(rnd.Uint32()), uint8(rnd.Uint32()), 255}
	}
	for y := range height {
		for x := range width {
			m.SetNRGBA(x, y, colours[y*8/height*8+x*8/width])
		}
	}
	var buf bytes.Buffer
	if err := png.Encode(&buf, m); err != nil {
		panic(err) // a picture in memory encodes
	}
	return buf.Bytes()
}

func ptr[T any](v T) *T { return &v }

var when = time.Date(2019, 4, 20, 12, 0, 0, 0, time.UTC)

// tables makes six documents with two pictures each, and what was left out of them.
func tables(t testing.TB) *Tables {
	w := &Tables{}
	for i := range 6 {
		d := schemas.Document{URL: fmt.Sprintf("http://site%d.test/page/%d.html", i%3, i), Timestamp: when.Add(time.Duration(i) * time.Minute),
			TextList: []string{"The first sentence.", "A second one with <b>markup</b> & more.", "And a third."},
			Page: schemas.Page{WARCFilename: "crawl-data/x/warc/a.warc.gz", WARCOffset: int64(1000 * i), WARCLength: 900, WARCDate: when,
				Route: schemas.RouteWAT, Match: schemas.MatchExact}}
		d.DocID = schemas.DocID(d.URL, d.Timestamp)
		for k := range 2 {
			url := fmt.Sprintf("http://pics.test/%d-%d.png", i, k)
			m := w.picture(t, url, Picture(uint64(10*i+k+1), 160+10*k, 150))
			d.ImageInfo = append(d.ImageInfo, m)
			d.SimilarityMatrix = append(d.SimilarityMatrix, []float32{0.2 + 0.01*float32(k), 0.31, 0.1 - 0.01*float32(i)})
		}
		at, err := match.Assign(d.SimilarityMatrix)
		if err != nil {
			t.Fatal(err)
		}
		for k := range d.ImageInfo {
			d.ImageInfo[k].MatchedTextIndex, d.ImageInfo[k].MatchedSim = int32(at[k]), d.SimilarityMatrix[k][at[k]]
		}
		w.Docs = append(w.Docs, d)
		w.left(&d, schemas.RuleExtension, "http://pics.test/a.gif", nil, nil, "gif")
		w.left(&d, schemas.RuleURLToken, "http://pics.test/logo.png", nil, nil, "logo")
		w.left(&d, schemas.RuleBadCandidate, "", nil, nil, "data")
		gone := fmt.Sprintf("http://gone%d.test/x.jpg", i)
		w.left(&d, schemas.RuleFetch, gone, nil, nil, "http_404")
		w.Images = append(w.Images, schemas.ImageRow{ImageURL: gone, Outcome: "http_404", HTTPStatus: ptr(int32(404)), Attempts: 1})
		small := fmt.Sprintf("http://pics.test/small-%d.png", i)
		w.picture(t, small, Picture(uint64(100+i), 40, 60))
		w.left(&d, schemas.RuleMinSide, small, ptr(40.0), ptr(150.0), "")
		far := fmt.Sprintf("http://pics.test/far-%d.png", i)
		w.picture(t, far, Picture(uint64(200+i), 200, 160))
		w.left(&d, schemas.RuleSimilarity, far, ptr(0.1), ptr(0.15), "")
	}
	lost := schemas.Document{URL: "http://site9.test/lost.html", DocID: schemas.DocID("http://site9.test/lost.html", when)}
	w.Rejects = append(w.Rejects, schemas.Reject{Stage: "locate", Rule: schemas.RuleNoPage, DocID: &lost.DocID, URL: &lost.URL},
		schemas.Reject{Stage: "locate", Rule: schemas.RuleBadRecord, Detail: ptr("c4.json line 3: no JSON")})
	settings := pipeline.DefaultSettings()
	settings.Parts = Parts
	config, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(config)
	w.Manifest = &pipeline.Manifest{Format: 1, Program: pipeline.Program{Name: "mmc4", Version: "test", Go: "go"}, Config: config, ConfigHash: hex.EncodeToString(sum[:]),
		Profile: pipeline.NumericProfile{Clip: "a model", Decoders: pipeline.CurrentDecoders(), Arch: "amd64"},
		Off:     []string{"nsfw: no weights were given (--nsfw)", "face: no weights were given (--faces)"}}
	return w
}

// picture adds the row of an image that was fetched, and gives its entry for a document.
func (w *Tables) picture(t testing.TB, url string, data []byte) schemas.ImageInfo {
	p, err := imaging.Decode(data, imaging.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	hash, err := dedup.PHash(p)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	m := schemas.ImageInfo{RawURL: url, Width: int32(p.Width), Height: int32(p.Height), OriginalWidth: int32(p.Width), OriginalHeight: int32(p.Height),
		MediaType: "image/png", SHA256: hex.EncodeToString(sum[:]), PHash: dedup.HashString(hash), Attr: "img@src", Alt: ptr("a <picture>"), Bytes: data}
	m.ImageName = schemas.ImageName(m.SHA256, m.MediaType)
	w.Images = append(w.Images, schemas.ImageRow{ImageURL: url, Outcome: "ok", HTTPStatus: ptr(int32(200)), Attempts: 1, MediaType: &m.MediaType,
		Size: ptr(int64(len(data))), Width: &m.Width, Height: &m.Height, SHA256: &m.SHA256, PHash: &m.PHash})
	return m
}

func (w *Tables) left(d *schemas.Document, rule, image string, value, limit *float64, detail string) {
	r := schemas.Reject{Stage: "x", Rule: rule, DocID: ptr(d.DocID), URL: ptr(d.URL), Value: value, Limit: limit}
	if image != "" {
		r.ImageURL = &image
	}
	if detail != "" {
		r.Detail = &detail
	}
	w.Rejects = append(w.Rejects, r)
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// write deals the rows to parts and writes files and manifest.
func (w *Tables) write(t testing.TB, damage func(*pipeline.Manifest)) string {
	t.Helper()
	dir := t.TempDir()
	slices.SortStableFunc(w.Docs, func(a, b schemas.Document) int {
		return cmp.Or(cmp.Compare(a.URL, b.URL), a.Timestamp.Compare(b.Timestamp))
	})
	slices.SortStableFunc(w.Rejects, func(a, b schemas.Reject) int { return cmp.Compare(text(a.URL), text(b.URL)) })
	slices.SortStableFunc(w.Images, func(a, b schemas.ImageRow) int { return cmp.Compare(a.ImageURL, b.ImageURL) })
	for part := range Parts {
		save(t, w, dir, "docs", part, w.Docs, func(d *schemas.Document) string { return d.URL })
		save(t, w, dir, "images", part, w.Images, func(r *schemas.ImageRow) string { return r.ImageURL })
		save(t, w, dir, "rejects", part, w.Rejects, func(r *schemas.Reject) string { return text(r.URL) })
	}
	w.count()
	if damage != nil {
		damage(w.Manifest)
	}
	data, err := json.Marshal(w.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, pipeline.ManifestName), data, 0o666); err != nil {
		t.Fatal(err)
	}
	return dir
}

func save[T schemas.Row](t testing.TB, w *Tables, dir, table string, part int, rows []T, key func(*T) string) {
	t.Helper()
	var buf bytes.Buffer
	out := schemas.NewWriter[T](&buf)
	for i := range rows {
		if pipeline.PartOf(key(&rows[i]), Parts) != part {
			continue
		}
		if err := out.Write(&rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	name := pipeline.PartName(table, part)
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, buf.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(buf.Bytes())
	w.Manifest.Outputs = append(w.Manifest.Outputs, pipeline.Output{Name: name, Size: int64(buf.Len()), SHA256: hex.EncodeToString(sum[:]), Rows: out.Rows()})
}

// count makes the manifest's counts and funnel of the rows.
func (w *Tables) count() {
	c := map[string]int64{"documents.kept": int64(len(w.Docs))}
	for i := range w.Docs {
		c["images.kept"] += int64(len(w.Docs[i].ImageInfo))
		c["sentences.kept"] += int64(len(w.Docs[i].TextList))
	}
	c["documents.lines"], c["candidates.found"] = c["documents.kept"], c["images.kept"]
	for i := range w.Rejects {
		rule := w.Rejects[i].Rule
		c["rejects."+rule]++
		if slices.Contains(schemas.DocumentRules, rule) {
			c["documents.lines"]++
		} else {
			c["candidates.found"]++
		}
	}
	for i := range w.Images {
		c["images."+w.Images[i].Outcome]++
	}
	w.Manifest.Counts = c
	for _, side := range []struct {
		of    string
		came  int64
		rules []string
	}{{"documents", c["documents.lines"], schemas.DocumentRules}, {"images", c["candidates.found"], schemas.ImageRules}} {
		for _, rule := range side.rules {
			w.Manifest.Funnel = append(w.Manifest.Funnel, pipeline.FunnelStep{Rule: rule, Of: side.of, Reached: side.came, Left: c["rejects."+rule]})
			side.came -= c["rejects."+rule]
		}
	}
}

package pipeline

// Stage locate, the documents: C4 files to documents by SURT key, and their sentences by part.

import (
	"context"
	"fmt"

	"mmc4/crawl/c4"
	"mmc4/crawl/weburl"
	"mmc4/match"
	"mmc4/schemas"
)

var locateDocuments = &phase{stage: "locate", name: "locate.documents", unit: "documents",
	tasks: func(r *run) int { return len(r.plan.inputsOf("c4")) }, do: doDocuments}

// doDocuments reads one C4 file. Outputs: "join" (by SURT partition; key SURT, 0, docRef; no value), "text" (by part; key
// docRef; value the sentences), "keys" (the hashes of the SURT keys),
// "surts" (the SURT keys themselves, for an index), "rejects".
func doDocuments(ctx context.Context, t *task) error {
	in := t.plan.inputsOf("c4")[t.index]
	t.declare("join", t.cfg.Settings.Partitions)
	r, err := t.openInput(ctx, in)
	if err != nil {
		return t.inputFailed(ctx, in, nil, err)
	}
	defer r.Close()
	for rec, err := range c4.Read(r, in.Location) {
		if err != nil {
			return t.inputFailed(ctx, in, r, err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		t.meter.add(1)
		t.count("documents.lines", 1)
		if err := t.document(in, rec); err != nil {
			return err
		}
	}
	return nil
}

func (t *task) document(in Input, rec c4.Record) error {
	d := docRef{rec.Doc.URL, rec.Doc.Timestamp, uint32(t.index), uint64(rec.Line)}
	where := fmt.Sprintf("%s line %d: ", shortName(in.Location), rec.Line)
	if rec.Bad != "" {
		return t.reject(docRef{File: d.File, Line: d.Line}, afterImages, &schemas.Reject{Rule: schemas.RuleBadRecord, Detail: some(where + rec.Bad)})
	}
	t.count("documents.read", 1)
	sentences := match.Sentences(rec.Doc.Text)
	if len(sentences) == 0 {
		return t.reject(d, afterImages, &schemas.Reject{Rule: schemas.RuleBadRecord, DocID: some(d.id()), URL: &d.URL, Detail: some(where + "no sentence")})
	}
	surt := weburl.SURT(d.URL)
	doc := d.key(nil)
	key := append(append(keyText(nil, surt), joinDocument), doc...)
	if err := t.emit("join", t.cfg.Settings.Partitions, t.partition(surt), key, nil); err != nil {
		return err
	}
	if err := t.emit("keys", 1, 0, keyU64(nil, hash64(surt)), nil); err != nil {
		return err
	}
	if len(t.cfg.Index) > 0 {
		if err := t.emit("surts", 1, 0, keyText(nil, surt), nil); err != nil {
			return err
		}
	}
	var e enc
	e.u(uint64(len(sentences)))
	for _, s := range sentences {
		e.str(s)
	}
	return t.emit("text", t.plan.Parts, t.part(d.URL), doc, e.b)
}

func decodeSentences(value []byte) ([]string, error) {
	d := dec{b: value}
	out := make([]string, d.count())
	for i := range out {
		out[i] = d.str()
	}
	return out, d.end()
}

// What stands in a join key after the SURT key: documents come before captures.
const (
	joinDocument byte = 0
	joinCapture  byte = 1
)

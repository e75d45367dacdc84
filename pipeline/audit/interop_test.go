package audit_test

import (
	"bytes"
	"iter"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/google/go-cmp/cmp"

	"mmc4/internal/storage"
	"mmc4/pipeline"
	"mmc4/pipeline/audit"
	"mmc4/pipeline/internal/smallrun"
	"mmc4/schemas"
)

// TestArrowReadsTheSameValues exports docs as Arrow IPC, reads them with arrow/go alone, and compares every value with
// what parquet-go reads from the shards.
func TestArrowReadsTheSameValues(t *testing.T) {
	run := storage.NewFolder(smallrun.Write(t, func(w *smallrun.Tables) {
		w.Docs[0].ImageInfo[0].Alt = nil
		w.Docs[1].Page.Digest = new(string)
		w.Docs[2].ImageInfo[0].NSFW = new(float32)
		w.Docs[3].ImageInfo[1].Bytes = nil
	}, nil))
	var want []schemas.Document
	docs := func() iter.Seq2[*schemas.Document, error] {
		return func(yield func(*schemas.Document, error) bool) {
			for part := range smallrun.Parts {
				for row, err := range audit.Rows[schemas.Document](t.Context(), run, pipeline.PartName("docs", part)) {
					if err != nil {
						yield(nil, err)
						return
					}
					want = append(want, *row.Value)
					if !yield(row.Value, nil) {
						return
					}
				}
			}
		}
	}
	var file bytes.Buffer
	if n, err := schemas.WriteIPC(&file, docs()); err != nil || n != 6 {
		t.Fatal(n, err)
	}
	r, err := ipc.NewFileReader(bytes.NewReader(file.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	at := 0
	for i := range r.NumRecords() {
		rec, err := r.Record(i)
		if err != nil {
			t.Fatal(err)
		}
		for row := range int(rec.NumRows()) {
			got := map[string]any{}
			for c, field := range rec.Schema().Fields() {
				got[field.Name] = valueAt(rec.Column(c), row)
			}
			if d := cmp.Diff(valueOf(&want[at]), got); d != "" {
				t.Errorf("document %d: parquet-go (-), arrow (+):\n%s", at, d)
			}
			at++
		}
	}
	if at != 6 {
		t.Errorf("%d documents", at)
	}
}

// valueAt is one value of an Arrow array, structs as maps and lists as slices.
func valueAt(a arrow.Array, i int) any {
	if a.IsNull(i) {
		return nil
	}
	switch a := a.(type) {
	case *array.String:
		return a.Value(i)
	case *array.Binary:
		return string(a.Value(i))
	case *array.Int32:
		return a.Value(i)
	case *array.Int64:
		return a.Value(i)
	case *array.Float32:
		return a.Value(i)
	case *array.Timestamp:
		return int64(a.Value(i))
	case *array.List:
		out := []any{}
		from, to := a.ValueOffsets(i)
		for j := from; j < to; j++ {
			out = append(out, valueAt(a.ListValues(), int(j)))
		}
		return out
	case *array.Struct:
		out := map[string]any{}
		for f, field := range a.DataType().(*arrow.StructType).Fields() {
			out[field.Name] = valueAt(a.Field(f), i)
		}
		return out
	}
	return a
}

// valueOf is a document in the same form.
func valueOf(d *schemas.Document) map[string]any {
	texts, images, matrix := []any{}, []any{}, []any{}
	for _, s := range d.TextList {
		texts = append(texts, s)
	}
	for _, row := range d.SimilarityMatrix {
		values := []any{}
		for _, v := range row {
			values = append(values, v)
		}
		matrix = append(matrix, values)
	}
	for _, m := range d.ImageInfo {
		image := map[string]any{"image_name": m.ImageName, "raw_url": m.RawURL, "matched_text_index": m.MatchedTextIndex, "matched_sim": m.MatchedSim,
			"width": m.Width, "height": m.Height, "original_width": m.OriginalWidth, "original_height": m.OriginalHeight, "media_type": m.MediaType,
			"sha256": m.SHA256, "phash": m.PHash, "nsfw": orNil(m.NSFW), "face": orNil(m.Face), "attr": m.Attr, "alt": orNil(m.Alt), "bytes": nil}
		if m.Bytes != nil {
			image["bytes"] = string(m.Bytes)
		}
		images = append(images, image)
	}
	p := d.Page
	return map[string]any{"doc_id": d.DocID, "url": d.URL, "timestamp": d.Timestamp.UnixMilli(), "text_list": texts, "image_info": images,
		"similarity_matrix": matrix, "could_have_url_duplicate": d.CouldHaveURLDuplicate, "page": map[string]any{"warc_filename": p.WARCFilename,
			"warc_offset": p.WARCOffset, "warc_length": p.WARCLength, "warc_date": p.WARCDate.UnixMilli(), "digest": orNil(p.Digest), "route": p.Route, "match": p.Match}}
}

func orNil[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}

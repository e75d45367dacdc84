package schemas

// Documents as Arrow record batches, the exchange form: the same columns as in Parquet. Only arrow, array, ipc and memory
// of arrow/go are used; its Parquet package ends the process on a corrupt file.

import (
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

var (
	arrowTime = &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}
	imageType = arrow.StructOf(
		arrow.Field{Name: "image_name", Type: arrow.BinaryTypes.String},
		arrow.Field{Name: "raw_url", Type: arrow.BinaryTypes.String},
		arrow.Field{Name: "matched_text_index", Type: arrow.PrimitiveTypes.Int32},
		arrow.Field{Name: "matched_sim", Type: arrow.PrimitiveTypes.Float32},
		arrow.Field{Name: "width", Type: arrow.PrimitiveTypes.Int32},
		arrow.Field{Name: "height", Type: arrow.PrimitiveTypes.Int32},
		arrow.Field{Name: "original_width", Type: arrow.PrimitiveTypes.Int32},
		arrow.Field{Name: "original_height", Type: arrow.PrimitiveTypes.Int32},
		arrow.Field{Name: "media_type", Type: arrow.BinaryTypes.String},
		arrow.Field{Name: "sha256", Type: arrow.BinaryTypes.String},
		arrow.Field{Name: "phash", Type: arrow.BinaryTypes.String},
		arrow.Field{Name: "nsfw", Type: arrow.PrimitiveTypes.Float32, Nullable: true},
		arrow.Field{Name: "face", Type: arrow.PrimitiveTypes.Float32, Nullable: true},
		arrow.Field{Name: "attr", Type: arrow.BinaryTypes.String},
		arrow.Field{Name: "alt", Type: arrow.BinaryTypes.String, Nullable: true},
		arrow.Field{Name: "bytes", Type: arrow.BinaryTypes.Binary, Nullable: true},
	)
	pageType = arrow.StructOf(
		arrow.Field{Name: "warc_filename", Type: arrow.BinaryTypes.String},
		arrow.Field{Name: "warc_offset", Type: arrow.PrimitiveTypes.Int64},
		arrow.Field{Name: "warc_length", Type: arrow.PrimitiveTypes.Int64},
		arrow.Field{Name: "warc_date", Type: arrowTime},
		arrow.Field{Name: "digest", Type: arrow.BinaryTypes.String, Nullable: true},
		arrow.Field{Name: "route", Type: arrow.BinaryTypes.String},
		arrow.Field{Name: "match", Type: arrow.BinaryTypes.String},
	)
)

// ArrowSchema is the Arrow schema of docs.
var ArrowSchema = arrow.NewSchema([]arrow.Field{
	{Name: "doc_id", Type: arrow.BinaryTypes.String},
	{Name: "url", Type: arrow.BinaryTypes.String},
	{Name: "timestamp", Type: arrowTime},
	{Name: "text_list", Type: arrow.ListOfNonNullable(arrow.BinaryTypes.String)},
	{Name: "image_info", Type: arrow.ListOfNonNullable(imageType)},
	{Name: "similarity_matrix", Type: arrow.ListOfNonNullable(arrow.ListOfNonNullable(arrow.PrimitiveTypes.Float32))},
	{Name: "could_have_url_duplicate", Type: arrow.PrimitiveTypes.Int32},
	{Name: "page", Type: pageType},
}, nil)

// Batch makes one record batch of documents; the caller releases it. The bytes of all images together must stay under
// 2 GiB.
func Batch(mem memory.Allocator, docs []Document) arrow.Record {
	b := array.NewRecordBuilder(mem, ArrowSchema)
	defer b.Release()
	texts := b.Field(3).(*array.ListBuilder)
	images := b.Field(4).(*array.ListBuilder)
	matrix := b.Field(5).(*array.ListBuilder)
	rows := matrix.ValueBuilder().(*array.ListBuilder)
	for i := range docs {
		d := &docs[i]
		appendString(b.Field(0), d.DocID)
		appendString(b.Field(1), d.URL)
		b.Field(2).(*array.TimestampBuilder).Append(arrow.Timestamp(d.Timestamp.UnixMilli()))
		texts.Append(true)
		for _, s := range d.TextList {
			appendString(texts.ValueBuilder(), s)
		}
		images.Append(true)
		for j := range d.ImageInfo {
			appendImage(images.ValueBuilder().(*array.StructBuilder), &d.ImageInfo[j])
		}
		matrix.Append(true)
		for _, row := range d.SimilarityMatrix {
			rows.Append(true)
			rows.ValueBuilder().(*array.Float32Builder).AppendValues(row, nil)
		}
		b.Field(6).(*array.Int32Builder).Append(d.CouldHaveURLDuplicate)
		appendPage(b.Field(7).(*array.StructBuilder), &d.Page)
	}
	return b.NewRecord()
}

func appendString(b array.Builder, s string) { b.(*array.StringBuilder).Append(s) }

func appendText(b array.Builder, s *string) {
	if s == nil {
		b.AppendNull()
		return
	}
	appendString(b, *s)
}

func appendScore(b array.Builder, f *float32) {
	if f == nil {
		b.AppendNull()
		return
	}
	b.(*array.Float32Builder).Append(*f)
}

func appendImage(b *array.StructBuilder, m *ImageInfo) {
	b.Append(true)
	appendString(b.FieldBuilder(0), m.ImageName)
	appendString(b.FieldBuilder(1), m.RawURL)
	b.FieldBuilder(2).(*array.Int32Builder).Append(m.MatchedTextIndex)
	b.FieldBuilder(3).(*array.Float32Builder).Append(m.MatchedSim)
	for i, n := range []int32{m.Width, m.Height, m.OriginalWidth, m.OriginalHeight} {
		b.FieldBuilder(4 + i).(*array.Int32Builder).Append(n)
	}
	appendString(b.FieldBuilder(8), m.MediaType)
	appendString(b.FieldBuilder(9), m.SHA256)
	appendString(b.FieldBuilder(10), m.PHash)
	appendScore(b.FieldBuilder(11), m.NSFW)
	appendScore(b.FieldBuilder(12), m.Face)
	appendString(b.FieldBuilder(13), m.Attr)
	appendText(b.FieldBuilder(14), m.Alt)
	if m.Bytes == nil {
		b.FieldBuilder(15).AppendNull()
	} else {
		b.FieldBuilder(15).(*array.BinaryBuilder).Append(m.Bytes)
	}
}

func appendPage(b *array.StructBuilder, p *Page) {
	b.Append(true)
	appendString(b.FieldBuilder(0), p.WARCFilename)
	b.FieldBuilder(1).(*array.Int64Builder).Append(p.WARCOffset)
	b.FieldBuilder(2).(*array.Int64Builder).Append(p.WARCLength)
	b.FieldBuilder(3).(*array.TimestampBuilder).Append(arrow.Timestamp(p.WARCDate.UnixMilli()))
	appendText(b.FieldBuilder(4), p.Digest)
	appendString(b.FieldBuilder(5), p.Route)
	appendString(b.FieldBuilder(6), p.Match)
}

// Documents reads a record batch; nothing of it is kept. The columns must be those of ArrowSchema, whatever the elements
// of lists are called; the error names the first that is not.
func Documents(rec arrow.Record) (docs []Document, err error) {
	defer func() {
		if p := recover(); p != nil {
			docs, err = nil, fmt.Errorf("damaged Arrow data: %v", p)
		}
	}()
	if err := checkArrow(rec.Schema()); err != nil {
		return nil, err
	}
	texts, images, matrix := rec.Column(3).(*array.List), rec.Column(4).(*array.List), rec.Column(5).(*array.List)
	rows := matrix.ListValues().(*array.List)
	values := rows.ListValues().(*array.Float32)
	for i := range int(rec.NumRows()) {
		d := Document{DocID: stringAt(rec.Column(0), i), URL: stringAt(rec.Column(1), i), Timestamp: timeAt(rec.Column(2), i),
			TextList: []string{}, ImageInfo: []ImageInfo{}, SimilarityMatrix: [][]float32{},
			CouldHaveURLDuplicate: rec.Column(6).(*array.Int32).Value(i), Page: pageAt(rec.Column(7).(*array.Struct), i)}
		from, to := texts.ValueOffsets(i)
		for j := from; j < to; j++ {
			d.TextList = append(d.TextList, stringAt(texts.ListValues(), int(j)))
		}
		from, to = images.ValueOffsets(i)
		for j := from; j < to; j++ {
			d.ImageInfo = append(d.ImageInfo, imageAt(images.ListValues().(*array.Struct), int(j)))
		}
		from, to = matrix.ValueOffsets(i)
		for j := from; j < to; j++ {
			start, end := rows.ValueOffsets(int(j))
			d.SimilarityMatrix = append(d.SimilarityMatrix, append([]float32{}, values.Float32Values()[start:end]...))
		}
		docs = append(docs, d)
	}
	return docs, nil
}

// checkArrow compares columns by name and type; the names of list elements and the nullability are free.
func checkArrow(got *arrow.Schema) error {
	if n := ArrowSchema.NumFields(); got.NumFields() != n {
		return fmt.Errorf("the Arrow data have %d columns, docs has %d", got.NumFields(), n)
	}
	for i, want := range ArrowSchema.Fields() {
		if f := got.Field(i); f.Name != want.Name || !sameArrow(f.Type, want.Type) {
			return fmt.Errorf("column %d of the Arrow data is %s %v, want %s %v", i, f.Name, f.Type, want.Name, want.Type)
		}
	}
	return nil
}

func sameArrow(a, b arrow.DataType) bool {
	switch want := b.(type) {
	case *arrow.ListType:
		got, ok := a.(*arrow.ListType)
		return ok && sameArrow(got.Elem(), want.Elem())
	case *arrow.StructType:
		got, ok := a.(*arrow.StructType)
		if !ok || got.NumFields() != want.NumFields() {
			return false
		}
		for i := range want.NumFields() {
			if got.Field(i).Name != want.Field(i).Name || !sameArrow(got.Field(i).Type, want.Field(i).Type) {
				return false
			}
		}
		return true
	}
	return arrow.TypeEqual(a, b)
}

// Command arrowgo is a peer of `mmc4 bench parquet`: the images table by arrow-go's Parquet, zstd, from Go values to a file
// and from a file to Arrow columns. It speaks the protocol of bench/peer.go.
//
// open: table (a JSON list of rows), task (write or read), file (what read reads). Result: a Parquet file.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

type row struct {
	ImageURL     string
	Outcome      string
	HTTPStatus   *int32
	Attempts     int32
	FinalURL     *string
	MediaType    *string
	Size         *int64
	Width        *int32
	Height       *int32
	SHA256       *string
	PHash        *string
	ETag         *string
	LastModified *string
	FetchedAt    *time.Time
	Detail       *string
}

var milliseconds = &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}

var schema = arrow.NewSchema([]arrow.Field{
	{Name: "image_url", Type: arrow.BinaryTypes.String}, {Name: "outcome", Type: arrow.BinaryTypes.String},
	{Name: "http_status", Type: arrow.PrimitiveTypes.Int32, Nullable: true}, {Name: "attempts", Type: arrow.PrimitiveTypes.Int32},
	{Name: "final_url", Type: arrow.BinaryTypes.String, Nullable: true}, {Name: "media_type", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "size", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, {Name: "width", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
	{Name: "height", Type: arrow.PrimitiveTypes.Int32, Nullable: true}, {Name: "sha256", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "phash", Type: arrow.BinaryTypes.String, Nullable: true}, {Name: "etag", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "last_modified", Type: arrow.BinaryTypes.String, Nullable: true}, {Name: "fetched_at", Type: milliseconds, Nullable: true},
	{Name: "detail", Type: arrow.BinaryTypes.String, Nullable: true},
}, nil)

func text(b array.Builder, s *string) {
	if s == nil {
		b.AppendNull()
	} else {
		b.(*array.StringBuilder).Append(*s)
	}
}

func small(b array.Builder, v *int32) {
	if v == nil {
		b.AppendNull()
	} else {
		b.(*array.Int32Builder).Append(*v)
	}
}

func build(rows []row) arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for i := range rows {
		r := &rows[i]
		text(b.Field(0), &r.ImageURL)
		text(b.Field(1), &r.Outcome)
		small(b.Field(2), r.HTTPStatus)
		small(b.Field(3), &r.Attempts)
		text(b.Field(4), r.FinalURL)
		text(b.Field(5), r.MediaType)
		if r.Size == nil {
			b.Field(6).AppendNull()
		} else {
			b.Field(6).(*array.Int64Builder).Append(*r.Size)
		}
		small(b.Field(7), r.Width)
		small(b.Field(8), r.Height)
		for k, s := range []*string{r.SHA256, r.PHash, r.ETag, r.LastModified} {
			text(b.Field(9+k), s)
		}
		if r.FetchedAt == nil {
			b.Field(13).AppendNull()
		} else {
			b.Field(13).(*array.TimestampBuilder).Append(arrow.Timestamp(r.FetchedAt.UnixMilli()))
		}
		text(b.Field(14), r.Detail)
	}
	return b.NewRecordBatch()
}

// write makes a file of records: zstd, dictionaries for the columns that our writer gives one.
func write(records ...arrow.RecordBatch) ([]byte, error) {
	var out bytes.Buffer
	options := []parquet.WriterProperty{parquet.WithCompression(compress.Codecs.Zstd), parquet.WithDictionaryDefault(false)}
	for _, name := range []string{"outcome", "media_type"} {
		options = append(options, parquet.WithDictionaryFor(name, true))
	}
	w, err := pqarrow.NewFileWriter(records[0].Schema(), &out, parquet.NewWriterProperties(options...), pqarrow.DefaultWriterProps())
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		if err := w.Write(r); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// read decodes every column, batch by batch; what each does not keep is released.
func read(data []byte, each func(arrow.RecordBatch)) error {
	f, err := file.NewParquetReader(bytes.NewReader(data))
	if err != nil {
		return err
	}
	r, err := pqarrow.NewFileReader(f, pqarrow.ArrowReadProperties{BatchSize: 16384}, memory.DefaultAllocator)
	if err != nil {
		return err
	}
	records, err := r.GetRecordReader(context.Background(), nil, nil)
	if err != nil {
		return err
	}
	defer records.Release()
	for records.Next() {
		each(records.RecordBatch())
	}
	return records.Err()
}

type request struct {
	Do, Table, Task, File, Path string
	Times                       int
}

type peer struct {
	rows []row
	data []byte // read's
	task string
}

// run gives a file when asked for one, else only does the work.
func (p *peer) run(keep bool) ([]byte, error) {
	if p.task == "write" {
		r := build(p.rows)
		defer r.Release()
		return write(r)
	}
	var kept []arrow.RecordBatch
	defer func() {
		for _, r := range kept {
			r.Release()
		}
	}()
	err := read(p.data, func(r arrow.RecordBatch) {
		if keep {
			r.Retain()
			kept = append(kept, r)
		}
	})
	if err != nil || !keep {
		return nil, err
	}
	return write(kept...)
}

func cpuTime() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // it has no way to fail
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

func (p *peer) answer(q request) (map[string]any, error) {
	switch q.Do {
	case "open":
		table, err := os.ReadFile(q.Table)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(table, &p.rows); err != nil {
			return nil, err
		}
		if p.task = q.Task; p.task == "read" {
			p.rows = nil
			if p.data, err = os.ReadFile(q.File); err != nil {
				return nil, err
			}
		}
		return map[string]any{"version": "arrow-go " + arrow.PkgVersion}, nil
	case "output":
		data, err := p.run(true)
		if err != nil {
			return nil, err
		}
		return map[string]any{}, os.WriteFile(q.Path, data, 0o644)
	case "run":
		start := cpuTime()
		for range q.Times {
			if _, err := p.run(false); err != nil {
				return nil, err
			}
		}
		return map[string]any{"cpu_s": cpuTime() - start}, nil
	}
	return nil, fmt.Errorf("unknown request %q", q.Do)
}

func main() {
	var p peer
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var q request
		err := json.Unmarshal(in.Bytes(), &q)
		var a map[string]any
		if err == nil {
			a, err = p.answer(q)
		}
		if err != nil {
			a = map[string]any{"error": err.Error()}
		}
		if err := out.Encode(a); err != nil {
			os.Exit(1)
		}
	}
}

package ccindex

// The columnar index: Parquet files, read by row groups, pages and columns that can matter.

import (
	"context"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"

	"mmc4/schemas"
)

// Table is one Parquet file of the columnar index.
type Table struct {
	name string
	file *parquet.File
	data io.ReaderAt
	key  int // leaf column url_surtkey
	cols []column
	unit time.Duration // of an int64 fetch_time
}

// column is a needed column: its leaf index (-1 when the schema lacks it) and where its values go.
type column struct {
	name     string
	leaf     int
	optional bool
	set      func(t *Table, c *Capture, v parquet.Value)
}

var columns = []column{
	{name: "url", set: func(_ *Table, c *Capture, v parquet.Value) { c.URL = text(v) }},
	{name: "fetch_time", set: func(t *Table, c *Capture, v parquet.Value) { c.FetchTime = t.time(v) }},
	{name: "fetch_status", set: func(_ *Table, c *Capture, v parquet.Value) { c.Status = int(number(v)) }},
	{name: "content_digest", optional: true, set: func(_ *Table, c *Capture, v parquet.Value) { c.Digest = plainDigest(text(v)) }},
	{name: "content_mime_type", optional: true, set: func(_ *Table, c *Capture, v parquet.Value) { c.MIME = text(v) }},
	{name: "content_mime_detected", optional: true, set: func(_ *Table, c *Capture, v parquet.Value) { c.MIMEDetected = text(v) }},
	{name: "content_truncated", optional: true, set: func(_ *Table, c *Capture, v parquet.Value) { c.Truncated = text(v) }},
	{name: "warc_filename", set: func(_ *Table, c *Capture, v parquet.Value) { c.WARCFilename = text(v) }},
	{name: "warc_record_offset", set: func(_ *Table, c *Capture, v parquet.Value) { c.Offset = number(v) }},
	{name: "warc_record_length", set: func(_ *Table, c *Capture, v parquet.Value) { c.Length = number(v) }},
}

// OpenTable reads the footer. name stands in errors.
func OpenTable(r io.ReaderAt, size int64, name string) (t *Table, err error) {
	defer guard(name, &err)
	f, err := schemas.OpenFile(r, size, parquet.ReadBufferSize(256<<10))
	if err != nil {
		return nil, fmt.Errorf("%s: columnar index: %w", name, err)
	}
	t = &Table{name: name, file: f, data: r, unit: time.Millisecond}
	schema := f.Schema()
	leaf, ok := schema.Lookup("url_surtkey")
	if !ok {
		return nil, fmt.Errorf("%s: columnar index has no column url_surtkey", name)
	}
	t.key = leaf.ColumnIndex
	for _, c := range columns {
		leaf, ok := schema.Lookup(c.name)
		switch {
		case ok:
			c.leaf = leaf.ColumnIndex
		case c.optional:
			c.leaf = -1
		default:
			return nil, fmt.Errorf("%s: columnar index has no column %s", name, c.name)
		}
		if c.name == "fetch_time" && ok {
			t.unit = timeUnit(leaf.Node.Type())
		}
		t.cols = append(t.cols, c)
	}
	return t, nil
}

// timeUnit is the unit of an int64 timestamp column.
func timeUnit(typ parquet.Type) time.Duration {
	if logical := typ.LogicalType(); logical != nil {
		if stamp, ok := logical.Value.(*format.TimestampType); ok && stamp.Unit.Value != nil {
			return stamp.Unit.Value.Duration()
		}
	}
	if converted := typ.ConvertedType(); converted != nil && *converted == deprecated.TimestampMicros {
		return time.Microsecond
	}
	return time.Millisecond
}

// guard turns a panic of the Parquet reader on a corrupt file into an error.
func guard(name string, err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%s: columnar index is corrupt: %v", name, p)
	}
}

// Rows is the number of captures in the file.
func (t *Table) Rows() int64 { return t.file.NumRows() }

// Bounds are the first and last SURT key of the file, "" when its statistics do not tell.
func (t *Table) Bounds() (first, last string) {
	for i := range t.file.RowGroups() {
		low, high, ok := t.bounds(i)
		if !ok {
			return "", ""
		}
		if first == "" || low < first {
			first = low
		}
		last = max(last, high)
	}
	return first, last
}

func (t *Table) bounds(group int) (low, high string, ok bool) {
	meta := t.file.Metadata().RowGroups[group]
	if t.key >= len(meta.Columns) {
		return "", "", false
	}
	s := meta.Columns[t.key].MetaData.Statistics
	switch {
	case len(s.MinValue) > 0 && len(s.MaxValue) > 0:
		return string(s.MinValue), string(s.MaxValue), true
	case len(s.Min) > 0 && len(s.Max) > 0: // of writers before 2018; keys are ASCII, so their order is the same
		return string(s.Min), string(s.Max), true
	}
	return "", "", false
}

// Lookup yields the captures of the given SURT keys (sorted, no repeats) in the file's order. Only row groups that can
// hold a key are read, and only the columns needed. After an error nothing more comes.
func (t *Table) Lookup(ctx context.Context, keys []string) iter.Seq2[Capture, error] {
	return func(yield func(Capture, error) bool) {
		if len(keys) == 0 {
			return
		}
		for i := range t.file.RowGroups() {
			if low, high, ok := t.bounds(i); ok && !between(keys, low, high) {
				continue
			}
			if err := ctx.Err(); err != nil {
				yield(Capture{}, err)
				return
			}
			captures, err := t.group(ctx, i, keys)
			if err != nil {
				yield(Capture{}, fmt.Errorf("%s: row group %d: %w", t.name, i, err))
				return
			}
			for _, c := range captures {
				if !yield(c, nil) {
					return
				}
			}
		}
	}
}

// group finds the rows of the keys, then reads the other columns at those rows.
func (t *Table) group(ctx context.Context, group int, keys []string) (captures []Capture, err error) {
	defer guard(t.name, &err)
	want := wanted{keys: keys}
	var rows []int64
	row := int64(0)
	err = t.eachPage(ctx, group, func(values []parquet.Value) {
		for _, v := range values {
			if key := v.ByteArray(); want.has(key) {
				rows = append(rows, row)
				captures = append(captures, Capture{SURT: string(key)})
			}
			row++
		}
	})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	for _, c := range t.cols {
		if c.leaf < 0 {
			continue
		}
		if err := t.pick(ctx, group, c.leaf, rows, func(i int, v parquet.Value) { c.set(t, &captures[i], v) }); err != nil {
			return nil, fmt.Errorf("column %s: %w", c.name, err)
		}
	}
	return captures, nil
}

const batch = 1024

// eachPage hands over all keys of a row group, in order.
func (t *Table) eachPage(ctx context.Context, group int, visit func([]parquet.Value)) error {
	pages, err := schemas.Pages(t.file, group, t.key, t.data)
	if err != nil {
		return err
	}
	defer pages.Close()
	buf := make([]parquet.Value, batch)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		page, err := pages.ReadPage()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		values := page.Values()
		for {
			n, err := values.ReadValues(buf)
			visit(buf[:n])
			if err == io.EOF {
				break
			}
			if err != nil {
				parquet.Release(page)
				return err
			}
		}
		parquet.Release(page)
	}
}

// pick hands over a column's values at the given rows, which ascend. Pages without such a row are not decoded into
// values; where the file has an offset index they are not read.
func (t *Table) pick(ctx context.Context, group, column int, rows []int64, visit func(i int, v parquet.Value)) error {
	seekable, err := schemas.ReadOffsetIndex(t.file, group, column, t.data)
	if err != nil {
		return err
	}
	pages, err := schemas.Pages(t.file, group, column, t.data)
	if err != nil {
		return err
	}
	defer pages.Close()
	buf := make([]parquet.Value, batch)
	start, next := int64(0), 0
	for next < len(rows) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if seekable {
			if err := pages.SeekToRow(rows[next]); err != nil {
				return err
			}
			start = rows[next]
		}
		page, err := pages.ReadPage()
		if err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		end := start + page.NumRows()
		if rows[next] < end {
			values := page.Values()
			for at := start; next < len(rows) && rows[next] < end; {
				n, err := values.ReadValues(buf)
				for ; next < len(rows) && rows[next] < at+int64(n); next++ {
					visit(next, buf[rows[next]-at])
				}
				at += int64(n)
				if err != nil && err != io.EOF || n == 0 && err == io.EOF && next < len(rows) && rows[next] < end {
					parquet.Release(page)
					return fmt.Errorf("page holds %d of %d values: %w", at-start, end-start, err)
				}
			}
		}
		parquet.Release(page)
		start = end
	}
	return nil
}

func text(v parquet.Value) string {
	if v.IsNull() {
		return ""
	}
	return string(v.ByteArray())
}

func number(v parquet.Value) int64 {
	switch v.Kind() {
	case parquet.Int32:
		return int64(v.Int32())
	case parquet.Int64:
		return v.Int64()
	}
	return 0
}

// time reads a fetch_time: int64 in the column's unit, or Spark's int96.
func (t *Table) time(v parquet.Value) time.Time {
	switch v.Kind() {
	case parquet.Int64:
		n := v.Int64()
		switch t.unit {
		case time.Microsecond:
			return time.UnixMicro(n).UTC()
		case time.Nanosecond:
			return time.Unix(0, n).UTC()
		}
		return time.UnixMilli(n).UTC()
	case parquet.Int96:
		return int96Time(v.Int96())
	}
	return time.Time{}
}

// int96Time: nanoseconds of the day in the low 64 bits, the Julian day in the high 32.
func int96Time(v deprecated.Int96) time.Time {
	const unixDay = 2440588
	nanos := int64(v[0]) | int64(v[1])<<32
	return time.Unix((int64(v[2])-unixDay)*86400, nanos).UTC()
}

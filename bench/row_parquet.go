package bench

// The images table in Parquet, zstd, in memory, by the program's own readers and writer. write: rows to bytes; ours also makes
// page indexes and bloom filters, the peer builds Arrow columns from its rows. read: bytes to columns, every column, in batches
// of 16,384 rows on both sides. rows: bytes to row structs against the same columns of the peer's.

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"time"

	"mmc4/schemas"
)

const parquetRowCount = 100000

const parquetBatch = 16384

var parquetRows = []Row{parquetRow("write", 1), parquetRow("read", 1), parquetRow("rows", 0)}

func parquetRow(task string, bar float64) Row {
	return Row{Name: "parquet." + task, Input: "images table of 100,000 rows, zstd", Peer: "arrow-go", Bar: bar,
		Open: func(_ context.Context, lab *Lab) (*Contest, error) { return openParquet(lab, task) }}
}

// imageTable draws rows as a build leaves them, nine in ten fetched, and gives the bytes of their values.
func imageTable(rng *rand.Rand) (rows []schemas.ImageRow, size int) {
	p := newProse(rng)
	rows = make([]schemas.ImageRow, parquetRowCount)
	for i := range rows {
		url := fmt.Sprintf("https://img%d.%s.test/%s/%s-%d.jpg", rng.IntN(4), p.words[500+rng.IntN(3000)], p.word(), p.word(), rng.IntN(1e6))
		r := schemas.ImageRow{ImageURL: url, Outcome: schemas.OutcomeOK, Attempts: 1, HTTPStatus: new(int32(200))}
		if rng.IntN(10) == 0 {
			r.Outcome, r.Attempts, *r.HTTPStatus, r.Detail = "http_404", int32(1+rng.IntN(3)), 404, new("404 Not Found")
		} else {
			r.FinalURL, r.MediaType, r.Size = new(url), new("image/jpeg"), new(rng.Int64N(1<<19))
			r.Width, r.Height = new(150+rng.Int32N(2000)), new(150+rng.Int32N(2000))
			r.SHA256 = new(fmt.Sprintf("%016x%016x%016x%016x", rng.Uint64(), rng.Uint64(), rng.Uint64(), rng.Uint64()))
			r.PHash, r.ETag = new(fmt.Sprintf("%016x", rng.Uint64())), new(fmt.Sprintf("\"%x\"", rng.Uint32()))
			r.LastModified = new("Tue, 24 Nov 2026 06:12:08 GMT")
			r.FetchedAt = new(time.UnixMilli(1795500000000 + rng.Int64N(1e7)).UTC())
		}
		rows[i] = r
		for _, s := range []*string{&r.ImageURL, &r.Outcome, r.FinalURL, r.MediaType, r.SHA256, r.PHash, r.ETag, r.LastModified, r.Detail} {
			if s != nil {
				size += len(*s)
			}
		}
		size += 32
	}
	return rows, size
}

func openParquet(lab *Lab, task string) (*Contest, error) {
	rows, size := imageTable(lab.Rand("parquet"))
	table, err := json.Marshal(rows)
	if err != nil {
		return nil, err
	}
	path, err := lab.Write("rows.json", table)
	if err != nil {
		return nil, err
	}
	data, err := writeImages(rows)
	if err != nil {
		return nil, err
	}
	file, err := lab.Write("images.parquet", data)
	if err != nil {
		return nil, err
	}
	peerTask := task
	if task == "rows" {
		peerTask = "read"
	}
	peer, err := lab.Program("arrowgo", args{"table": path, "task": peerTask, "file": file})
	if err != nil {
		return nil, err
	}
	ours := map[string]func() error{
		"write": func() error { _, err := writeImages(rows); return err },
		"read":  func() error { return readColumns(data, func([]schemas.Column, int) error { return nil }) },
		"rows":  func() error { return readImages(data, func(*schemas.ImageRow) error { return nil }) },
	}
	agree := func() (string, error) {
		theirs, err := peer.Output(lab)
		if err != nil {
			return "", err
		}
		for whose, file := range map[string][]byte{"our file": data, "the peer's file": theirs} {
			i := 0
			err := readImages(file, func(r *schemas.ImageRow) error {
				if i >= len(rows) || !reflect.DeepEqual(*r, rows[i]) {
					return fmt.Errorf("outputs differ: row %d of %s", i, whose)
				}
				i++
				return nil
			})
			if err == nil && i != len(rows) {
				err = fmt.Errorf("outputs differ: %s has %d rows", whose, i)
			}
			if err == nil {
				err = sameColumns(file, rows)
			}
			if err != nil {
				return "", err
			}
		}
		return fmt.Sprintf("%d rows equal, files of %d and %d bytes", len(rows), len(data), len(theirs)), nil
	}
	return &Contest{Unit: "MB/s", Work: float64(size) / 1e6, Ours: self{run: ours[task]}, Theirs: peer, Agree: agree}, nil
}

func writeImages(rows []schemas.ImageRow) ([]byte, error) {
	var out bytes.Buffer
	w := schemas.NewWriter[schemas.ImageRow](&out)
	for i := range rows {
		if err := w.Write(&rows[i]); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return out.Bytes(), err
}

func readImages(data []byte, each func(*schemas.ImageRow) error) error {
	r, err := schemas.NewReader[schemas.ImageRow](bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return err
	}
	for row, err := range r.All() {
		if err != nil {
			return err
		}
		if err := each(row); err != nil {
			return err
		}
	}
	return r.Close()
}

func readColumns(data []byte, each func(columns []schemas.Column, rows int) error) error {
	r, err := schemas.NewColumnReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return err
	}
	for {
		columns, n, err := r.Next(parquetBatch)
		if err == io.EOF {
			return r.Close()
		}
		if err != nil {
			return err
		}
		if err := each(columns, n); err != nil {
			return err
		}
	}
}

// sameColumns compares every value of a file, read by columns, with the rows.
func sameColumns(file []byte, rows []schemas.ImageRow) error {
	at := 0
	err := readColumns(file, func(columns []schemas.Column, n int) error {
		for i := range n {
			if at == len(rows) {
				return errors.New("outputs differ: too many rows")
			}
			row := reflect.ValueOf(rows[at])
			for j := range columns {
				if got, want := valueAt(&columns[j], i), plainValue(row.Field(j)); got != want {
					return fmt.Errorf("outputs differ: row %d, column %s: %v, the table has %v", at, columns[j].Name, got, want)
				}
			}
			at++
		}
		return nil
	})
	if err == nil && at != len(rows) {
		err = fmt.Errorf("outputs differ: %d rows by columns", at)
	}
	return err
}

// valueAt is the value of a column in row i, nil for a null.
func valueAt(c *schemas.Column, i int) any {
	switch {
	case c.Null != nil && c.Null[i]:
		return nil
	case c.Int32 != nil:
		return int64(c.Int32[i])
	case c.Int64 != nil:
		return c.Int64[i]
	}
	return string(c.Text(i))
}

// plainValue is a field's value as valueAt gives it.
func plainValue(field reflect.Value) any {
	if field.Kind() == reflect.Pointer {
		if field.IsNil() {
			return nil
		}
		field = field.Elem()
	}
	switch v := field.Interface().(type) {
	case time.Time:
		return v.UnixMilli()
	case string:
		return v
	}
	return field.Int()
}

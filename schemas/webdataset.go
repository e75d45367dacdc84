package schemas

// WebDataset out: pairs to a tar whose members KEY.jpg (or .png, ...), KEY.json and KEY.txt follow each other, as
// webdataset, open_clip and open_flamingo read it. Equal pairs give equal bytes: no clock, owner or host stands in the
// headers.

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"time"
)

// WebDatasetWriter writes one tar. It is not safe for concurrent use.
type WebDatasetWriter struct {
	w    *tar.Writer
	rows int64
}

// NewWebDatasetWriter starts a tar on w. Close writes its end; w is not closed.
func NewWebDatasetWriter(w io.Writer) *WebDatasetWriter {
	return &WebDatasetWriter{w: tar.NewWriter(w)}
}

// Write adds a pair with its picture in the stored form. The key is the pair's PairID.
func (w *WebDatasetWriter) Write(p *Pair, picture []byte) error {
	var about bytes.Buffer
	e := json.NewEncoder(&about)
	e.SetEscapeHTML(false)
	if err := e.Encode(p); err != nil {
		return fmt.Errorf("writing WebDataset: %w", err)
	}
	for _, member := range []struct {
		ending string
		data   []byte
	}{{path.Ext(p.ImageName), picture}, {".json", about.Bytes()}, {".txt", []byte(p.Caption)}} {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: p.PairID + member.ending, Size: int64(len(member.data)), Mode: 0o444,
			ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR}
		if err := w.w.WriteHeader(h); err != nil {
			return fmt.Errorf("writing WebDataset: %w", err)
		}
		if _, err := w.w.Write(member.data); err != nil {
			return fmt.Errorf("writing WebDataset: %w", err)
		}
	}
	w.rows++
	return nil
}

// Rows is the number of pairs written so far.
func (w *WebDatasetWriter) Rows() int64 { return w.rows }

// Close completes the tar.
func (w *WebDatasetWriter) Close() error { return w.w.Close() }

package schemas

// The docs table: one row a document. Written by the pack stage, read by the trainer, report, verify and export.

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// Document is a row of docs: a C4 document with the images that were matched to its sentences.
type Document struct {
	DocID     string    `parquet:"doc_id"` // see DocID
	URL       string    `parquet:"url"`
	Timestamp time.Time `parquet:"timestamp,timestamp(millisecond)"` // of the C4 record, UTC
	TextList  []string  `parquet:"text_list,list"`                   // sentences, in order
	// ImageInfo lists the kept images in their order on the page.
	ImageInfo []ImageInfo `parquet:"image_info,list"`
	// SimilarityMatrix holds cosines: a row an image of ImageInfo, a column a sentence of TextList.
	SimilarityMatrix      [][]float32 `parquet:"similarity_matrix,list"`
	CouldHaveURLDuplicate int32       `parquet:"could_have_url_duplicate"` // 1 when another C4 document has this url
	Page                  Page        `parquet:"page"`
}

// ImageInfo is one kept image of a document. Width, Height, MediaType and the ending of ImageName speak of the stored
// form; OriginalWidth, OriginalHeight, SHA256 and PHash of the bytes that were fetched.
type ImageInfo struct {
	ImageName        string   `parquet:"image_name"` // see ImageName
	RawURL           string   `parquet:"raw_url"`    // absolute, WHATWG-serialised, fragment removed
	MatchedTextIndex int32    `parquet:"matched_text_index"`
	MatchedSim       float32  `parquet:"matched_sim"`
	Width            int32    `parquet:"width"`
	Height           int32    `parquet:"height"`
	OriginalWidth    int32    `parquet:"original_width"`
	OriginalHeight   int32    `parquet:"original_height"`
	MediaType        string   `parquet:"media_type,dict"`
	SHA256           string   `parquet:"sha256"` // hex
	PHash            string   `parquet:"phash"`  // 16 hex digits
	NSFW             *float32 `parquet:"nsfw,optional"`
	Face             *float32 `parquet:"face,optional"`
	Attr             string   `parquet:"attr,dict"` // img@src, img@srcset, ...
	Alt              *string  `parquet:"alt,optional"`
	Bytes            []byte   `parquet:"bytes,optional,uncompressed"` // the stored form; nil under --images files|none
}

// Page is the capture that a document was read from.
type Page struct {
	WARCFilename string    `parquet:"warc_filename,dict"`
	WARCOffset   int64     `parquet:"warc_offset"`
	WARCLength   int64     `parquet:"warc_length"`
	WARCDate     time.Time `parquet:"warc_date,timestamp(millisecond)"`
	Digest       *string   `parquet:"digest,optional"` // base32 SHA-1, without "sha1:"
	Route        string    `parquet:"route,dict"`      // RouteWAT or RouteWARC
	Match        string    `parquet:"match,dict"`      // MatchExact or MatchSURT
}

// Values of Page.Route and Page.Match.
const (
	RouteWAT   = "wat"
	RouteWARC  = "warc"
	MatchExact = "exact" // the capture's URL is the document's
	MatchSURT  = "surt"  // they are equal by SURT key only
)

// DocID is the name of a document: the first 16 hex digits of SHA-256 of url, LF, RFC 3339 timestamp in UTC. The timestamp
// counts as the column has it, to the millisecond; C4's are whole seconds.
func DocID(url string, timestamp time.Time) string {
	sum := sha256.Sum256([]byte(url + "\n" + time.UnixMilli(timestamp.UnixMilli()).UTC().Format(time.RFC3339Nano)))
	return hex.EncodeToString(sum[:8])
}

// ImageName is the name of a stored image: the first 16 hex digits of the SHA-256 of the fetched bytes, and the ending
// that the stored media type asks for.
func ImageName(sha256Hex, mediaType string) string {
	return sha256Hex[:min(16, len(sha256Hex))] + endings[mediaType]
}

var endings = map[string]string{
	"image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "image/webp": ".webp", "image/bmp": ".bmp",
	"image/tiff": ".tif", "image/avif": ".avif", "image/x-icon": ".ico",
}

// Validate checks what holds between the columns of a row: shapes, and the match against the matrix.
func (d *Document) Validate() error {
	if d.DocID != DocID(d.URL, d.Timestamp) {
		return fmt.Errorf("document %s: doc_id should be %s for %s at %s", d.DocID, DocID(d.URL, d.Timestamp), d.URL,
			d.Timestamp.UTC().Format(time.RFC3339Nano))
	}
	if err := d.validateShapes(); err != nil {
		return err
	}
	for i, image := range d.ImageInfo {
		if sim := d.SimilarityMatrix[i][image.MatchedTextIndex]; sim != image.MatchedSim {
			return fmt.Errorf("document %s: image %s has matched_sim %g, the matrix has %g", d.DocID, image.ImageName, image.MatchedSim, sim)
		}
	}
	return nil
}

// validateShapes checks what every form of a document must keep to.
func (d *Document) validateShapes() error {
	if len(d.SimilarityMatrix) != len(d.ImageInfo) {
		return fmt.Errorf("document %s: similarity_matrix has %d rows for %d images", d.DocID, len(d.SimilarityMatrix), len(d.ImageInfo))
	}
	for i, image := range d.ImageInfo {
		row := d.SimilarityMatrix[i]
		if len(row) != len(d.TextList) {
			return fmt.Errorf("document %s: row %d of similarity_matrix has %d columns for %d sentences", d.DocID, i, len(row), len(d.TextList))
		}
		at := int(image.MatchedTextIndex)
		if at < 0 || at >= len(row) {
			return fmt.Errorf("document %s: image %s is matched to sentence %d of %d", d.DocID, image.ImageName, at, len(row))
		}
	}
	return nil
}

package schemas

// The pairs table: one row an image with its caption. Written by the pack stage of a run over a list; WebDataset
// (webdataset.go) is its other form.

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Pair is a row of pairs. Width, Height, MediaType and the ending of ImageName speak of the stored form; OriginalWidth,
// OriginalHeight, SHA256 and PHash of the bytes that were fetched. The JSON form is that of KEY.json in a WebDataset.
type Pair struct {
	PairID         string   `parquet:"pair_id" json:"pair_id"` // see PairID
	URL            string   `parquet:"url" json:"url"`         // absolute, WHATWG-serialised, fragment removed
	Caption        string   `parquet:"caption" json:"caption"`
	ImageName      string   `parquet:"image_name" json:"image_name"` // see ImageName
	Width          int32    `parquet:"width" json:"width"`
	Height         int32    `parquet:"height" json:"height"`
	OriginalWidth  int32    `parquet:"original_width" json:"original_width"`
	OriginalHeight int32    `parquet:"original_height" json:"original_height"`
	MediaType      string   `parquet:"media_type,dict" json:"media_type"`
	SHA256         string   `parquet:"sha256" json:"sha256"`
	PHash          string   `parquet:"phash" json:"phash"`
	Similarity     *float32 `parquet:"similarity,optional" json:"similarity,omitempty"` // cosine of picture and caption; null without a model
	ListFile       string   `parquet:"list_file,dict" json:"list_file"`                 // name of the list, without its folder
	ListRow        int64    `parquet:"list_row" json:"list_row"`                        // see ListRow.Row
	Bytes          []byte   `parquet:"bytes,optional,uncompressed" json:"-"`            // the stored form; nil where it is kept elsewhere or not at all
}

// PairID is the name of a pair: the first 16 hex digits of the SHA-256 of url, LF, caption, LF, and the row's place as
// "LIST:ROW" in decimal digits, where LIST is the number of the list among the run's sorted lists. Rows that say the same
// have different names.
func PairID(url, caption string, list uint32, row int64) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%d:%d", url, caption, list, row))
	return hex.EncodeToString(sum[:8])
}

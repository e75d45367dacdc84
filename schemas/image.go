package schemas

// The images table: one row for every distinct candidate URL that the URL rules let through, with what came of it.

import "time"

// ImageRow is a row of images. Outcome is "ok" or one of the contract's names for what went wrong; Detail says more.
type ImageRow struct {
	ImageURL     string     `parquet:"image_url"`
	Outcome      string     `parquet:"outcome,dict"`
	HTTPStatus   *int32     `parquet:"http_status,optional"`
	Attempts     int32      `parquet:"attempts"`
	FinalURL     *string    `parquet:"final_url,optional"`
	MediaType    *string    `parquet:"media_type,optional,dict"`
	Size         *int64     `parquet:"size,optional"`
	Width        *int32     `parquet:"width,optional"`
	Height       *int32     `parquet:"height,optional"`
	SHA256       *string    `parquet:"sha256,optional"`
	PHash        *string    `parquet:"phash,optional"`
	ETag         *string    `parquet:"etag,optional"`
	LastModified *string    `parquet:"last_modified,optional"`
	FetchedAt    *time.Time `parquet:"fetched_at,optional,timestamp(millisecond)"`
	Detail       *string    `parquet:"detail,optional"`
}

// OutcomeOK is the outcome of an image that was fetched and decoded.
const OutcomeOK = "ok"

package lesson

// Documents of several drawings, as `mmc4 build` writes documents: what teaches a model to read examples before it answers.

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"time"

	"mmc4/internal/imaging"
	"mmc4/internal/storage"
	"mmc4/schemas"
)

// Drawings of a document, at least and at most.
const fewest, most = 2, 5

// writeDocuments writes n documents of drawings, each drawing at a sentence that shows it, to DIR/docs/part-00000.parquet.
func writeDocuments(ctx context.Context, dir string, drawings []drawing, n int, seed uint64) error {
	store, err := storage.Open(ctx, dir, storage.Options{})
	if err != nil {
		return err
	}
	out, err := store.Create(ctx, "docs/part-00000.parquet", storage.CreateOptions{})
	if err != nil {
		return err
	}
	defer out.Abort() // does nothing after Commit
	rng := rand.New(rand.NewPCG(seed, 0xd0c5))
	w := schemas.NewWriter[schemas.Document](out)
	for i := range n {
		d, err := documentOf(i, drawings, rng)
		if err != nil {
			return err
		}
		if err := w.Write(d); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return out.Commit(ctx)
}

func documentOf(i int, drawings []drawing, rng *rand.Rand) (*schemas.Document, error) {
	d := &schemas.Document{URL: fmt.Sprintf("http://drawings.test/%d", i), Timestamp: time.Unix(0, 0).UTC()}
	d.DocID = schemas.DocID(d.URL, d.Timestamp)
	n := fewest + rng.IntN(most-fewest+1)
	for k := range n {
		drawn := &drawings[rng.IntN(len(drawings))]
		file, hash, err := drawn.png()
		if err != nil {
			return nil, err
		}
		side := int32(drawn.picture.Width)
		row := make([]float32, n)
		row[k] = 1
		d.TextList = append(d.TextList, drawn.Captions[rng.IntN(len(drawn.Captions))])
		d.SimilarityMatrix = append(d.SimilarityMatrix, row)
		d.ImageInfo = append(d.ImageInfo, schemas.ImageInfo{ImageName: schemas.ImageName(hash, "image/png"), RawURL: fmt.Sprintf("%s/%d.png", d.URL, k),
			MatchedTextIndex: int32(k), MatchedSim: 1, Width: side, Height: side, OriginalWidth: side, OriginalHeight: side, MediaType: "image/png",
			SHA256: hash, PHash: "0000000000000000", Attr: "img@src", Bytes: file})
	}
	return d, d.Validate()
}

// png is the drawing as a file, with its hash.
func (d *drawing) png() (file []byte, hash string, err error) {
	if d.file == nil {
		var b bytes.Buffer
		if err := imaging.EncodePNG(&b, d.picture.Picture()); err != nil {
			return nil, "", err
		}
		d.file = b.Bytes()
	}
	sum := sha256.Sum256(d.file)
	return d.file, hex.EncodeToString(sum[:]), nil
}

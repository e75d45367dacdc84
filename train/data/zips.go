package data

// Zip files of JSON lines, the form in which MMC4 was published: docs_no_face_shard_N_v2.jsonl.zip with one member.

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"mmc4/internal/storage"
	"mmc4/schemas"
)

// largestMember bounds what a member may inflate to. MMC4's largest have a tenth of that.
const largestMember = 1 << 30

// mostInflated is what a byte can become in deflate.
const mostInflated = 1032

// inflate gives a member's text. The zip is in memory, so that what fails is the zip's fault. Room is made once, for what the directory says,
// unless that cannot be.
func inflate(file *zip.File) ([]byte, error) {
	size := file.UncompressedSize64
	switch {
	case size > largestMember:
		return nil, fmt.Errorf("it inflates to %d bytes; at most %d are read", size, largestMember)
	case size > mostInflated*file.CompressedSize64:
		return nil, fmt.Errorf("%d bytes cannot inflate to the %d that the directory says", file.CompressedSize64, size)
	}
	r, err := file.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	text := make([]byte, size)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, err
	}
	if _, err := r.Read(make([]byte, 1)); err != io.EOF { // at the end the checksum is compared
		return nil, errors.Join(fmt.Errorf("it is not the %d bytes that the directory says", size), err)
	}
	return text, nil
}

// readMember reads a zip whole: shards have some ten megabytes.
func readMember(ctx context.Context, ref storage.Ref, member string) ([]byte, error) {
	raw, err := storage.ReadFile(ctx, ref.Store, ref.Name)
	if err != nil {
		return nil, err
	}
	archive, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", schemas.ErrDamaged, err)
	}
	for _, file := range archive.File {
		if file.Name == member {
			text, err := inflate(file)
			if err != nil {
				err = fmt.Errorf("%w: %s: %w", schemas.ErrDamaged, file.Name, err)
			}
			return text, err
		}
	}
	return nil, fmt.Errorf("%s is not in the zip any more", member)
}

// listZip makes a range of every member that ends in .jsonl. It reads the directory, which lies at the zip's end.
func listZip(ctx context.Context, ref storage.Ref) (ranges []byteRange, err error) {
	object, err := ref.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer object.Close()
	archive, err := zip.NewReader(object, object.Info().Size)
	if err != nil {
		return nil, fmt.Errorf("not a zip file, or damaged (fetch it again, or leave it out of paths): %w", err)
	}
	found := false
	for _, file := range archive.File {
		if !strings.HasSuffix(file.Name, ".jsonl") {
			continue
		}
		found = true
		if file.UncompressedSize64 > 0 {
			ranges = append(ranges, byteRange{ref: ref, member: file.Name, lines: Uncounted})
		}
	}
	if !found {
		return nil, fmt.Errorf("the zip has no member that ends in .jsonl")
	}
	return ranges, nil
}

// countLines counts lines, a last one without an end included.
func countLines(text []byte) int {
	n := bytes.Count(text, []byte{'\n'})
	if len(text) > 0 && text[len(text)-1] != '\n' {
		n++
	}
	return n
}

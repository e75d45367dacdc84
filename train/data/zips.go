package data

// Zip files of JSON lines, the form in which MMC4 was published: docs_no_face_shard_N_v2.jsonl.zip with one member.

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"mmc4/internal/storage"
	"mmc4/schemas"
)

// largestMember bounds what a member may inflate to. MMC4's largest have a tenth of that.
const largestMember = 1 << 30

// inflate gives a member's text. The zip is in memory, so that what fails is the zip's fault.
func inflate(file *zip.File) ([]byte, error) {
	r, err := file.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, largestMember+1))
	if err == nil && len(text) > largestMember {
		err = fmt.Errorf("it inflates to more than %d bytes", largestMember)
	}
	return text, err
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
		return nil, fmt.Errorf("not a zip file, or damaged: %w", err)
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

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
)

// largestMember bounds what a member may inflate to. MMC4's largest have a tenth of that.
const largestMember = 1 << 30

// openZip reads a zip whole: shards have some ten megabytes, and its directory lies behind everything else.
func openZip(ctx context.Context, ref storage.Ref) (*zip.Reader, error) {
	raw, err := storage.ReadFile(ctx, ref.Store, ref.Name)
	if err != nil {
		return nil, err
	}
	archive, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return nil, fmt.Errorf("not a zip file, or damaged: %w", err)
	}
	return archive, nil
}

func inflate(file *zip.File) ([]byte, error) {
	r, err := file.Open()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file.Name, err)
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, largestMember+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file.Name, err)
	}
	if len(text) > largestMember {
		return nil, fmt.Errorf("%s inflates to more than %d bytes", file.Name, largestMember)
	}
	return text, nil
}

func readMember(ctx context.Context, ref storage.Ref, member string) ([]byte, error) {
	archive, err := openZip(ctx, ref)
	if err != nil {
		return nil, err
	}
	for _, file := range archive.File {
		if file.Name == member {
			return inflate(file)
		}
	}
	return nil, fmt.Errorf("%s is not in the zip any more", member)
}

// listZip makes a range of every member that ends in .jsonl.
func listZip(ctx context.Context, ref storage.Ref) (ranges []byteRange, err error) {
	archive, err := openZip(ctx, ref)
	if err != nil {
		return nil, err
	}
	found := false
	for _, file := range archive.File {
		if !strings.HasSuffix(file.Name, ".jsonl") {
			continue
		}
		found = true
		text, err := inflate(file)
		if err != nil {
			return nil, err
		}
		if n := countLines(text); n > 0 {
			ranges = append(ranges, byteRange{ref: ref, member: file.Name, lines: n})
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

package pipeline

// What those who read a finished run need to know of how it was made.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"mmc4/dedup"
	"mmc4/internal/storage"
	"mmc4/schemas"
)

// PartOf is the number of the file, of parts files of each table, that holds a document (by its url) or an image (by
// its own).
func PartOf(url string, parts int) int { return int(hash64(url) % uint64(parts)) }

// PartName is the name of one part of a table: docs, rejects or images.
func PartName(table string, part int) string { return partName(table, part) }

// Settings are those the run was made with.
func (m *Manifest) Settings() (Settings, error) {
	var s Settings
	if err := json.Unmarshal(m.Config, &s); err != nil {
		return s, fmt.Errorf("%s: config: %w", ManifestName, err)
	}
	return s, nil
}

// Limits are the limits of all rules.
func (s *Settings) Limits() *dedup.Profile { return s.limits() }

// LongestSide is the longer side, in pixels, that stored pictures are shrunk to; 0 for none.
func (s *Settings) LongestSide() int { return s.longestSide() }

// FetchedBytes finds, in the work folder of a run, the fetched bytes of some image URLs, and calls found for each; the
// bytes are found's own. URLs whose bytes are not there are passed over: a run without its work folder has none. partitions is the
// run's setting.
func FetchedBytes(ctx context.Context, store storage.Store, partitions int, urls map[string]bool, found func(url string, data []byte) error) error {
	r := &run{cfg: &Config{Settings: Settings{Partitions: partitions}}}
	tasks := map[int]map[string]bool{}
	for url := range urls {
		t := r.partition(hostOf(url))
		if tasks[t] == nil {
			tasks[t] = map[string]bool{}
		}
		tasks[t][url] = true
	}
	for task := range partitions {
		if wanted := tasks[task]; wanted != nil {
			if err := segmentBytesOf(ctx, store, task, wanted, found); err != nil {
				return err
			}
		}
	}
	return nil
}

// segmentBytesOf looks through the segments of one fetching task. A damaged segment is passed over.
func segmentBytesOf(ctx context.Context, store storage.Store, task int, wanted map[string]bool, found func(string, []byte) error) error {
	for info, err := range store.List(ctx, fmt.Sprintf("work/%s/%06d/segment-", fetchImages.name, task)) {
		if err != nil {
			return err
		}
		if err := oneSegment(ctx, store, info, wanted, found); err != nil && !errors.Is(err, errDamagedShard) {
			return err
		}
		if len(wanted) == 0 {
			return nil
		}
	}
	return nil
}

func oneSegment(ctx context.Context, store storage.Store, info storage.Info, wanted map[string]bool, found func(string, []byte) error) error {
	o, err := store.Open(ctx, info.Name)
	if err != nil {
		return err
	}
	defer o.Close()
	s, err := openShard(o, info.Size, store.Location(info.Name))
	if err != nil {
		return err
	}
	if len(s.spans) != 1 {
		return s.damaged("it is no segment")
	}
	for r := s.partition(0); ; {
		more, err := r.next()
		if !more || err != nil {
			return err
		}
		row, b, err := decodeFetched(r.value)
		if err != nil {
			return fmt.Errorf("%w: %w", errDamagedShard, err)
		}
		if !wanted[row.ImageURL] {
			continue
		}
		delete(wanted, row.ImageURL)
		if row.Outcome != schemas.OutcomeOK || b.Length == 0 {
			continue
		}
		data, err := s.blob(b.Offset, b.Length)
		if err != nil {
			return err
		}
		if err := found(row.ImageURL, data); err != nil {
			return err
		}
	}
}

// CurrentDecoders names the decoder of every format on this machine, as NumericProfile.Decoders does.
func CurrentDecoders() map[string]string {
	r := &run{cfg: &Config{}, plan: &plan{}}
	return r.currentProfile("").Decoders
}

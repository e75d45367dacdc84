package eval

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"mmc4/eval/formats"
)

// Record is one line of predictions.jsonl: what was asked, and what came back.
type Record struct {
	Task           string       `json:"task"`
	Shots          int          `json:"shots"`
	Seed           uint64       `json:"seed"`
	ID             formats.ID   `json:"id"`
	Image          string       `json:"image"`
	Demonstrations []formats.ID `json:"demonstrations"` // ids of training examples, in the order shown
	Prompt         string       `json:"prompt"`
	Generated      string       `json:"generated,omitempty"` // as the model wrote it
	Prediction     string       `json:"prediction"`          // after post-processing, or the most likely class
	LogProbs       []float64    `json:"log_probs,omitempty"` // of the classes
	Error          string       `json:"error,omitempty"`     // why it could not be asked; not scored then
}

// unit is a batch of one trial: what is computed, and written, as a whole. Batches do not depend on where an earlier run
// was killed, so an interrupted evaluation ends with the same bytes.
type unit struct {
	task  int
	shots int
	seed  uint64
	first int // index of its first query in the trial's plan
	size  int
}

// journal is a file of records that grows by whole units.
type journal struct {
	file    *os.File
	records [][]Record // of the units that are in it, in order
}

// header is the first line.
type header struct {
	Evaluation string `json:"evaluation"` // as in Results
	Slice      string `json:"slice,omitempty"`
}

// openJournal opens or makes a journal, checks that it belongs to this evaluation, and cuts off what is not a whole unit
// of the given sizes.
func openJournal(path string, h header, sizes []int) (*journal, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err := lock(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("%w: %s is in use by another evaluation", ErrRefused, path)
	}
	j := &journal{file: f}
	end, err := j.replay(path, h, sizes)
	if err == nil {
		err = f.Truncate(end)
	}
	if err == nil {
		_, err = f.Seek(end, io.SeekStart)
	}
	if err == nil && end == 0 {
		err = j.write(h)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return j, nil
}

func (j *journal) replay(path string, h header, sizes []int) (end int64, err error) {
	data, err := io.ReadAll(j.file)
	if err != nil {
		return 0, err
	}
	line := func() ([]byte, bool) {
		i := bytes.IndexByte(data, '\n')
		if i < 0 {
			return nil, false
		}
		l := data[:i]
		data = data[i+1:]
		return l, true
	}
	first, ok := line()
	if !ok {
		return 0, nil // new, or killed within the first line
	}
	var found header
	if json.Unmarshal(first, &found) != nil || found.Evaluation == "" {
		return 0, fmt.Errorf("%w: %s is not a file of this program", ErrRefused, path)
	}
	if found != h {
		return 0, fmt.Errorf("%w: %s was made with another config, model, task file or data: give another folder by --out, or remove it", ErrRefused, path)
	}
	end = int64(len(first) + 1)
	for _, size := range sizes {
		var unit []Record
		length := int64(0)
		for range size {
			l, ok := line()
			var r Record
			if !ok || json.Unmarshal(l, &r) != nil {
				return end, nil
			}
			unit = append(unit, r)
			length += int64(len(l) + 1)
		}
		j.records = append(j.records, unit)
		end += length
	}
	return end, nil
}

// write appends lines and waits until they are on the disk.
func (j *journal) write(lines ...any) error {
	var b bytes.Buffer
	for _, l := range lines {
		text, err := json.Marshal(l)
		if err != nil {
			return err
		}
		b.Write(append(text, '\n'))
	}
	_, err := j.file.Write(b.Bytes())
	return errors.Join(err, j.file.Sync())
}

// add appends a unit.
func (j *journal) add(unit []Record) error {
	lines := make([]any, len(unit))
	for i := range unit {
		lines[i] = &unit[i]
	}
	if err := j.write(lines...); err != nil {
		return err
	}
	j.records = append(j.records, unit)
	return nil
}

func (j *journal) close() error { return j.file.Close() }

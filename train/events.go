package train

// TensorBoard event files: TFRecords (length, masked CRC-32C, protobuf Event, CRC) of scalars. Written by hand: the few fields
// that a scalar needs, by their numbers in event.proto and summary.proto.

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"time"
)

// events is an open event file.
type events struct{ file *os.File }

// openEvents begins a new file in a folder; TensorBoard joins those of one folder.
func openEvents(dir string, now time.Time) (*events, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	path := filepath.Join(dir, fmt.Sprintf("events.out.tfevents.%010d.%s.%d", now.Unix(), host, now.Nanosecond()))
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	e := &events{f}
	event := appendDouble(nil, 1, seconds(now))
	return e, e.record(appendBytes(event, 3, []byte("brain.Event:2")))
}

func seconds(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }

// scalars writes the values of a step.
func (e *events) scalars(now time.Time, step int, names []string, values []float64) error {
	var summary []byte
	for i, name := range names {
		value := appendBytes(nil, 1, []byte(name))
		value = binary.LittleEndian.AppendUint32(append(value, 2<<3|5), math.Float32bits(float32(values[i])))
		summary = appendBytes(summary, 1, value)
	}
	event := appendDouble(nil, 1, seconds(now))
	event = binary.AppendUvarint(append(event, 2<<3), uint64(step))
	return e.record(appendBytes(event, 5, summary))
}

func (e *events) close() error { return e.file.Close() }

func (e *events) record(data []byte) error {
	header := binary.LittleEndian.AppendUint64(nil, uint64(len(data)))
	out := binary.LittleEndian.AppendUint32(header, maskedCRC(header))
	out = append(out, data...)
	_, err := e.file.Write(binary.LittleEndian.AppendUint32(out, maskedCRC(data)))
	return err
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// maskedCRC is TFRecord's: rotated by 15 bits, plus a constant.
func maskedCRC(data []byte) uint32 {
	c := crc32.Checksum(data, castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}

func appendDouble(b []byte, field int, v float64) []byte {
	return binary.LittleEndian.AppendUint64(append(b, byte(field<<3|1)), math.Float64bits(v))
}

func appendBytes(b []byte, field int, v []byte) []byte {
	b = binary.AppendUvarint(append(b, byte(field<<3|2)), uint64(len(v)))
	return append(b, v...)
}

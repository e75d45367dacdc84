package pipeline

// Work shards: files of records (key, value), grouped by partition. Written once from the start to the end; a partition
// is read by one range of the file.
//
//	file    = magic, frame..., index frame, offset of the index frame (8 bytes), end magic
//	frame   = kind (1), length before compression (4), length stored (4), CRC-32C of all of it (4), stored bytes
//	records = (key length, key, value length, value)...; a frame holds records of one partition
//	blob    = bytes that are read by their place, such as an image
//
// Numbers are little-endian. Every frame is checked when it is read.

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"
)

const (
	shardMagic    = "mmc4shd1"
	shardEndMagic = "mmc4end1"
	frameHeader   = 13
	frameBytes    = 64 << 10 // records are gathered up to this many bytes
	maxFrame      = 1 << 30
	blockFrom     = 3         // bytes of zstd that a block takes at least,
	blockTo       = 128 << 10 // and that it can become
)

const (
	frameRaw   byte = 'r' // records
	frameZstd  byte = 'z' // records, compressed
	frameBlob  byte = 'b'
	frameIndex byte = 'i'
)

var (
	errDamagedShard = errors.New("damaged work shard")
	castagnoli      = crc32.MakeTable(crc32.Castagnoli)
)

// The coders are shared: EncodeAll and DecodeAll may be called from many goroutines.
var zstdCoders = sync.OnceValues(func() (*zstd.Encoder, *zstd.Decoder) {
	e, _ := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(frameBytes))
	d, _ := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecodeAllCapLimit(true))
	return e, d
})

// span is a partition's place in a shard.
type span struct {
	Offset  int64
	Length  int64
	Records int64
}

// shardWriter writes a shard. The partitions come in ascending order.
type shardWriter struct {
	w       io.Writer
	offset  int64
	spans   []span
	part    int
	buf     []byte
	packed  []byte
	records int64
}

func newShardWriter(w io.Writer, partitions int) (*shardWriter, error) {
	s := &shardWriter{w: w, spans: make([]span, partitions)}
	return s, s.write([]byte(shardMagic))
}

func (s *shardWriter) write(b []byte) error {
	n, err := s.w.Write(b)
	s.offset += int64(n)
	return err
}

// put adds a record to a partition.
func (s *shardWriter) put(partition int, key, value []byte) error {
	if partition != s.part {
		if partition < s.part || partition >= len(s.spans) {
			return fmt.Errorf("work shard: partition %d of %d after %d", partition, len(s.spans), s.part)
		}
		if err := s.flush(); err != nil {
			return err
		}
		s.part = partition
	}
	s.buf = binary.AppendUvarint(s.buf, uint64(len(key)))
	s.buf = append(s.buf, key...)
	s.buf = binary.AppendUvarint(s.buf, uint64(len(value)))
	s.buf = append(s.buf, value...)
	s.spans[partition].Records++
	s.records++
	if len(s.buf) >= frameBytes {
		return s.flush()
	}
	return nil
}

// blob writes bytes that are found again by their place.
func (s *shardWriter) blob(data []byte) (offset int64, err error) {
	if err := s.flush(); err != nil {
		return 0, err
	}
	offset = s.offset
	err = s.frame(frameBlob, data, len(data))
	s.extend()
	return offset, err
}

func (s *shardWriter) flush() error {
	if len(s.buf) == 0 {
		return nil
	}
	if s.spans[s.part].Offset == 0 {
		s.spans[s.part].Offset = s.offset
	}
	e, _ := zstdCoders()
	s.packed = e.EncodeAll(s.buf, s.packed[:0])
	kind, stored := frameZstd, s.packed
	if len(stored) >= len(s.buf) {
		kind, stored = frameRaw, s.buf
	}
	err := s.frame(kind, stored, len(s.buf))
	s.buf = s.buf[:0]
	s.extend()
	return err
}

// extend lets the open partition reach to the end of what is written.
func (s *shardWriter) extend() {
	p := &s.spans[s.part]
	if p.Offset == 0 {
		p.Offset = int64(len(shardMagic))
	}
	p.Length = s.offset - p.Offset
}

func (s *shardWriter) frame(kind byte, stored []byte, before int) error {
	if len(stored) > maxFrame || before > maxFrame {
		return fmt.Errorf("work shard: a record of %d bytes is too long", before)
	}
	var h [frameHeader]byte
	h[0] = kind
	binary.LittleEndian.PutUint32(h[1:], uint32(before))
	binary.LittleEndian.PutUint32(h[5:], uint32(len(stored)))
	binary.LittleEndian.PutUint32(h[9:], checksum(h[:], stored))
	if err := s.write(h[:]); err != nil {
		return err
	}
	return s.write(stored)
}

// checksum is that of a frame: of its header before the checksum, and of what is stored.
func checksum(header, stored []byte) uint32 {
	return crc32.Update(crc32.Checksum(header[:9], castagnoli), castagnoli, stored)
}

// close writes the index; the underlying writer stays open.
func (s *shardWriter) close() error {
	if err := s.flush(); err != nil {
		return err
	}
	at := s.offset
	var e enc
	e.u(uint64(len(s.spans)))
	for _, p := range s.spans {
		e.u(uint64(p.Offset))
		e.u(uint64(p.Length))
		e.u(uint64(p.Records))
	}
	if err := s.frame(frameIndex, e.b, len(e.b)); err != nil {
		return err
	}
	return s.write(append(binary.LittleEndian.AppendUint64(nil, uint64(at)), shardEndMagic...))
}

// shard is an open shard.
type shard struct {
	r     io.ReaderAt
	name  string
	spans []span
}

// openShard reads a shard's index. name stands in errors.
func openShard(r io.ReaderAt, size int64, name string) (*shard, error) {
	s := &shard{r: r, name: name}
	trailer := make([]byte, 8+len(shardEndMagic))
	if size < int64(len(shardMagic)+len(trailer)) {
		return nil, s.damaged("it is too short")
	}
	if err := s.readAt(trailer, size-int64(len(trailer))); err != nil {
		return nil, err
	}
	at := int64(binary.LittleEndian.Uint64(trailer))
	if string(trailer[8:]) != shardEndMagic || at < int64(len(shardMagic)) || at > size {
		return nil, s.damaged("it does not end as it should")
	}
	index, kind, err := s.frameAt(at, size-int64(len(trailer)))
	if err != nil {
		return nil, err
	}
	d := dec{b: index}
	n := d.count()
	for range n {
		p := span{int64(d.u()), int64(d.u()), int64(d.u())}
		if p.Offset < 0 || p.Length < 0 || p.Offset > at || p.Length > at-p.Offset {
			return nil, s.damaged("its index is wrong")
		}
		s.spans = append(s.spans, p)
	}
	if kind != frameIndex || d.end() != nil {
		return nil, s.damaged("its index is wrong")
	}
	return s, nil
}

func (s *shard) damaged(why string) error {
	return fmt.Errorf("%w %s: %s", errDamagedShard, s.name, why)
}

func (s *shard) readAt(b []byte, at int64) error {
	if n, err := s.r.ReadAt(b, at); n < len(b) {
		if err == nil || err == io.EOF {
			return s.damaged("it ends too early")
		}
		return err
	}
	return nil
}

// frameAt reads the frame that lies between two places.
func (s *shard) frameAt(at, end int64) (data []byte, kind byte, err error) {
	if end-at < frameHeader {
		return nil, 0, s.damaged("a frame has a wrong length")
	}
	frame := make([]byte, end-at)
	if err := s.readAt(frame, at); err != nil {
		return nil, 0, err
	}
	data = frame[frameHeader:]
	if int64(binary.LittleEndian.Uint32(frame[5:])) != int64(len(data)) {
		return nil, 0, s.damaged("a frame has a wrong length")
	}
	if checksum(frame, data) != binary.LittleEndian.Uint32(frame[9:]) {
		return nil, 0, s.damaged("a checksum is wrong")
	}
	return data, frame[0], nil
}

// blob reads what shardWriter.blob wrote: length bytes whose frame starts at an offset.
func (s *shard) blob(at, length int64) ([]byte, error) {
	if length < 0 || length > maxFrame {
		return nil, s.damaged("a wrong length")
	}
	frame := make([]byte, frameHeader+length)
	if err := s.readAt(frame, at); err != nil {
		return nil, err
	}
	data := frame[frameHeader:]
	if frame[0] != frameBlob || int64(binary.LittleEndian.Uint32(frame[5:])) != length {
		return nil, s.damaged("an image is not where it should be")
	}
	if checksum(frame, data) != binary.LittleEndian.Uint32(frame[9:]) {
		return nil, s.damaged("a checksum is wrong")
	}
	return data, nil
}

// records reads the records of a partition one after the other, ahead in blocks.
type records struct {
	s       *shard
	section *io.SectionReader
	r       *bufio.Reader
	frame   []byte // what is left of the open frame
	stored  []byte // buffers
	plain   []byte
	key     []byte
	value   []byte
	closer  io.Closer // of what is read, or nil
}

// readAhead is the block in which a partition is read; with two frames it is about what an open records holds.
const readAhead = 64 << 10

func (s *shard) partition(p int) *records { return s.records(s.spans[p]) }

func (s *shard) records(sp span) *records {
	section := io.NewSectionReader(s.r, sp.Offset, sp.Length)
	return &records{s: s, section: section, r: bufio.NewReaderSize(section, readAhead)}
}

func (r *records) close() {
	if r.closer != nil {
		r.closer.Close()
	}
}

// next moves to the next record; key and value are valid until the following call. It says false at the end and on error.
func (r *records) next() (bool, error) {
	for len(r.frame) == 0 {
		if more, err := r.load(); !more || err != nil {
			return false, err
		}
	}
	d := dec{b: r.frame}
	r.key = d.bytes()
	r.value = d.bytes()
	if d.err != nil {
		return false, r.s.damaged(d.err.Error())
	}
	r.frame = d.b
	return true, nil
}

// load reads the next frame; false at the end of the partition.
func (r *records) load() (bool, error) {
	var h [frameHeader]byte
	if _, err := io.ReadFull(r.r, h[:]); err == io.EOF {
		return false, nil
	} else if err != nil {
		return false, r.failed(err)
	}
	before, stored := int64(binary.LittleEndian.Uint32(h[1:])), int64(binary.LittleEndian.Uint32(h[5:]))
	// Memory is taken for what is there alone, and for what can come of it.
	if stored > r.left() || before > maxFrame || before > (stored/blockFrom+1)*blockTo {
		return false, r.s.damaged("a frame has a wrong length")
	}
	if h[0] == frameBlob {
		return true, r.skip(stored)
	}
	if int64(cap(r.stored)) < stored {
		r.stored = make([]byte, stored)
	}
	data := r.stored[:stored]
	if _, err := io.ReadFull(r.r, data); err != nil {
		return false, r.failed(err)
	}
	if checksum(h[:], data) != binary.LittleEndian.Uint32(h[9:]) {
		return false, r.s.damaged("a checksum is wrong")
	}
	switch h[0] {
	case frameRaw:
		r.frame = data
	case frameZstd:
		if int64(cap(r.plain)) < before {
			r.plain = make([]byte, before)
		}
		_, d := zstdCoders()
		var err error
		if r.frame, err = d.DecodeAll(data, r.plain[:0]); err != nil {
			return false, r.s.damaged(err.Error())
		}
	default:
		return false, r.s.damaged("a frame of a wrong kind")
	}
	return true, nil
}

// left is how many bytes of the partition come behind what was taken.
func (r *records) left() int64 {
	at, _ := r.section.Seek(0, io.SeekCurrent) // cannot fail
	return r.section.Size() - at + int64(r.r.Buffered())
}

// skip passes over n bytes without reading what is not in the buffer yet.
func (r *records) skip(n int64) error {
	buffered := int64(r.r.Buffered())
	if n <= buffered {
		_, err := r.r.Discard(int(n))
		return err
	}
	if _, err := r.section.Seek(n-buffered, io.SeekCurrent); err != nil {
		return err
	}
	r.r.Reset(r.section)
	return nil
}

func (r *records) failed(err error) error {
	if err == io.ErrUnexpectedEOF || err == io.EOF {
		return r.s.damaged("it ends too early")
	}
	return err
}

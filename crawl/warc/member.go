package warc

// Members: the parts of a file that are compressed on their own. A plain file is one member.

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"mmc4/crawl/internal/inflate"
)

var (
	gzipMagic = []byte{0x1f, 0x8b, 0x08}
	zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}
)

type compression int

const (
	plain compression = iota
	gzipped
	zstandard
)

type members struct {
	src   *source
	kind  compression
	start int64 // of the member at hand
	begun bool

	fast  *inflate.Decoder // nil before the first member
	out   []byte           // what fast decompressed
	gz    *gzip.Reader
	frame frameReader
	zd    *zstd.Decoder
	dict  []byte
}

// open reads the first bytes and says how the file is compressed.
func (m *members) open() {
	head, _ := m.src.Peek(4)
	switch {
	case bytes.HasPrefix(head, gzipMagic[:2]):
		m.kind = gzipped
	case bytes.HasPrefix(head, zstdMagic) || len(head) == 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:], []byte{0x2a, 0x4d, 0x18}):
		m.kind = zstandard
	}
	m.begun = true
}

// maxFast is the largest decompressed member that is held in memory whole.
const maxFast = 8 << 20

// next starts the next member and gives its decompressed bytes, all of them or as a stream; io.EOF when there is none.
// Other errors are damage; resync goes on after it.
func (m *members) next() (all []byte, stream io.Reader, err error) {
	if err := m.begin(); err != nil {
		return nil, nil, err
	}
	if m.kind == gzipped {
		if all, ok := m.whole(); ok {
			return all, nil, nil
		}
	}
	stream, err = m.stream()
	return nil, stream, err
}

// whole decompresses a sound member that lies in the buffer.
func (m *members) whole() ([]byte, bool) {
	if m.fast == nil {
		m.fast = decoders.Get().(*inflate.Decoder)
	}
	br := m.src
	in, _ := br.Peek(br.Buffered())
	out, used, err := m.fast.Member(m.out, in, maxFast)
	if errors.Is(err, inflate.ErrShort) && len(in) < br.ahead {
		if in, _ = br.Peek(br.ahead); len(in) > 0 {
			out, used, err = m.fast.Member(out, in, maxFast)
		}
	}
	m.out = out
	if err != nil {
		return nil, false
	}
	br.Discard(used)
	return out, true
}

// begin marks the place of the next member.
func (m *members) begin() error {
	if !m.begun {
		m.open()
	}
	m.src.mark()
	m.start = m.src.offset()
	if _, err := m.src.Peek(1); err != nil {
		if failed := m.src.failed(); failed != nil {
			return failed
		}
		return io.EOF
	}
	return nil
}

// stream opens the member for reading piece by piece.
func (m *members) stream() (io.Reader, error) {
	switch m.kind {
	case gzipped:
		var err error
		if m.gz == nil {
			m.gz, err = gzip.NewReader(m.src)
		} else {
			err = m.gz.Reset(m.src)
		}
		if err != nil {
			if m.gz == nil || errors.Is(err, io.EOF) {
				err = fmt.Errorf("gzip head: %w", noEOF(err))
			}
			return nil, err
		}
		m.gz.Multistream(false)
		return m.gz, nil
	case zstandard:
		return m.nextFrame()
	}
	return m.src, nil
}

// resync finds the next member after the damaged one.
func (m *members) resync() bool {
	switch m.kind {
	case gzipped:
		return m.src.findAfter(gzipMagic)
	case zstandard:
		return m.src.findAfter(zstdMagic)
	}
	return false
}

// decoders and buffers are what closed readers leave to the next: a reader is often made for a single record.
var (
	decoders = sync.Pool{New: func() any { return new(inflate.Decoder) }}
	buffers  = sync.Pool{New: func() any { return new([bufferSize]byte) }}
)

func (m *members) close() {
	if m.zd != nil {
		m.zd.Close()
		m.zd = nil
	}
	if m.fast != nil {
		decoders.Put(m.fast)
		m.fast = nil
	}
	m.src.close()
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

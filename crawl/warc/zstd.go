package warc

// Zstandard frames (RFC 8878) one by one, with the dictionary that the WARC zstd specification of the IIPC puts in a first
// skippable frame. The blocks of a frame are counted while they pass, so that a frame's end is known without decoding.

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

const (
	dictionaryMagic = 0x184D2A5D
	maxDictionary   = 32 << 20
	maxWindow       = 128 << 20
)

// nextFrame passes over skippable frames and opens a frame of data.
func (m *members) nextFrame() (io.Reader, error) {
	br := m.src
	for {
		head, err := br.Peek(8)
		if len(head) == 0 {
			return nil, io.EOF
		}
		if err != nil {
			return nil, fmt.Errorf("zstd frame head: %w", noEOF(err))
		}
		magic, size := binary.LittleEndian.Uint32(head), binary.LittleEndian.Uint32(head[4:])
		if magic&^0xf != 0x184D2A50 {
			break
		}
		br.Discard(8)
		if magic != dictionaryMagic || m.dict != nil {
			if _, err := io.CopyN(io.Discard, br, int64(size)); err != nil {
				return nil, fmt.Errorf("zstd skippable frame: %w", noEOF(err))
			}
		} else if m.dict, err = readDictionary(br, size); err != nil {
			return nil, err
		}
		m.src.mark()
		m.start = m.src.offset()
	}
	if err := m.frame.open(br); err != nil {
		return nil, err
	}
	if m.zd == nil {
		opts := []zstd.DOption{zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true)}
		switch {
		case len(m.dict) >= 8 && binary.LittleEndian.Uint32(m.dict) == 0xEC30A437:
			opts = append(opts, zstd.WithDecoderDicts(m.dict))
		case len(m.dict) > 0:
			opts = append(opts, zstd.WithDecoderDictRaw(0, m.dict))
		}
		var err error
		if m.zd, err = zstd.NewReader(nil, opts...); err != nil {
			return nil, fmt.Errorf("zstd decoder: %w", err)
		}
	}
	if err := m.zd.Reset(&m.frame); err != nil {
		return nil, err
	}
	return m.zd, nil
}

func readDictionary(r io.Reader, size uint32) ([]byte, error) {
	if size > maxDictionary {
		return nil, fmt.Errorf("zstd dictionary of %d bytes; at most %d are read", size, maxDictionary)
	}
	dict := make([]byte, size)
	if _, err := io.ReadFull(r, dict); err != nil {
		return nil, fmt.Errorf("zstd dictionary: %w", noEOF(err))
	}
	if !bytes.HasPrefix(dict, zstdMagic) {
		return dict, nil
	}
	d, err := zstd.NewReader(bytes.NewReader(dict), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, fmt.Errorf("zstd dictionary: %w", err)
	}
	defer d.Close()
	out, err := io.ReadAll(io.LimitReader(d, maxDictionary+1))
	if err != nil {
		return nil, fmt.Errorf("zstd dictionary: %w", err)
	}
	if len(out) > maxDictionary {
		return nil, fmt.Errorf("zstd dictionary is larger than %d bytes", maxDictionary)
	}
	return out, nil
}

// frameReader gives the bytes of one frame and io.EOF behind it.
type frameReader struct {
	br       *source
	left     int // bytes of the head, block or checksum at hand
	last     bool
	checksum bool
	done     bool
}

var errFrame = errors.New("not a zstd frame")

func (f *frameReader) open(br *source) error {
	head, _ := br.Peek(5)
	if len(head) < 5 || !bytes.HasPrefix(head, zstdMagic) {
		return errFrame
	}
	descriptor := head[4]
	size := 5 + [4]int{0, 1, 2, 4}[descriptor&3]
	single := descriptor&0x20 != 0
	if !single {
		size++
	}
	if n := 1 << (descriptor >> 6); n > 1 || single {
		size += n
	}
	*f = frameReader{br: br, left: size, checksum: descriptor&4 != 0}
	return nil
}

func (f *frameReader) Read(p []byte) (int, error) {
	for f.left == 0 {
		if f.done {
			return 0, io.EOF
		}
		if f.last {
			f.done = true
			if f.checksum {
				f.left = 4
			}
			continue
		}
		head, err := f.br.Peek(3)
		if err != nil {
			return 0, noEOF(err)
		}
		v := int(head[0]) | int(head[1])<<8 | int(head[2])<<16
		f.last, f.left = v&1 != 0, 3+v>>3
		if v>>1&3 == 1 { // one byte, repeated
			f.left = 4
		}
	}
	n, err := f.br.Read(p[:min(len(p), f.left)])
	f.left -= n
	if err != nil {
		err = noEOF(err)
	}
	return n, err
}

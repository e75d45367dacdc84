package tokenizer

// Reading SentencePiece's tokenizer.model: a protobuf ModelProto, read by hand. Foreign bytes: lengths are checked, unknown
// fields are skipped, nothing grows beyond the file.
// Fields: 1 repeated piece {1 text, 2 score, 3 type}, 2 trainer {3 model type, 40.. ids, 44 unknown surface},
// 3 normalizer {2 charsmap, 3 add_dummy_prefix, 4 remove_extra_whitespaces, 5 escape_whitespaces}.

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

type pieceType int

const (
	pieceNormal  pieceType = 1
	pieceUnknown pieceType = 2
	pieceControl pieceType = 3
	pieceUser    pieceType = 4
	pieceUnused  pieceType = 5
	pieceByte    pieceType = 6
)

type piece struct {
	text  string
	score float32
	kind  pieceType
}

type spmModel struct {
	pieces         []piece
	bpe            bool
	unknownSurface string
	charsmap       bool
	dummyPrefix    bool
	removeExtra    bool
	escapeSpace    bool
}

var errProto = errors.New("the protobuf is damaged or cut short; fetch the file again")

// protoFields calls field for every field of a message. For varint and fixed fields value holds the number, for
// length-delimited ones data.
func protoFields(b []byte, field func(number int, value uint64, data []byte) error) error {
	for len(b) > 0 {
		key, n := binary.Uvarint(b)
		if n <= 0 {
			return errProto
		}
		b = b[n:]
		var value uint64
		var data []byte
		switch key & 7 {
		case 0:
			if value, n = binary.Uvarint(b); n <= 0 {
				return errProto
			}
			b = b[n:]
		case 1:
			if len(b) < 8 {
				return errProto
			}
			value, b = binary.LittleEndian.Uint64(b), b[8:]
		case 2:
			size, n := binary.Uvarint(b)
			if n <= 0 || size > uint64(len(b)-n) {
				return errProto
			}
			data, b = b[n:n+int(size)], b[n+int(size):]
		case 5:
			if len(b) < 4 {
				return errProto
			}
			value, b = uint64(binary.LittleEndian.Uint32(b)), b[4:]
		default:
			return errProto
		}
		if err := field(int(key>>3), value, data); err != nil {
			return err
		}
	}
	return nil
}

func parseSPM(b []byte) (*spmModel, error) {
	m := &spmModel{unknownSurface: " ⁇ ", dummyPrefix: true, removeExtra: true, escapeSpace: true}
	err := protoFields(b, func(number int, value uint64, data []byte) error {
		switch number {
		case 1:
			p := piece{kind: pieceNormal}
			err := protoFields(data, func(number int, value uint64, data []byte) error {
				switch number {
				case 1:
					p.text = string(data)
				case 2:
					p.score = math.Float32frombits(uint32(value))
				case 3:
					p.kind = pieceType(value)
				}
				return nil
			})
			m.pieces = append(m.pieces, p)
			return err
		case 2:
			return protoFields(data, func(number int, value uint64, data []byte) error {
				switch number {
				case 3:
					m.bpe = value == 2
				case 44:
					m.unknownSurface = string(data)
				}
				return nil
			})
		case 3:
			return protoFields(data, func(number int, value uint64, data []byte) error {
				switch number {
				case 2:
					m.charsmap = len(data) > 0
				case 3:
					m.dummyPrefix = value != 0
				case 4:
					m.removeExtra = value != 0
				case 5:
					m.escapeSpace = value != 0
				}
				return nil
			})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return m, m.check()
}

// maxPieceBytes bounds the work for one piece; SentencePiece's own limit is 16 characters unless it is told otherwise.
const maxPieceBytes = 1024

func (m *spmModel) check() error {
	switch {
	case len(m.pieces) == 0:
		return errors.New("it holds no pieces")
	case !m.bpe:
		return errors.New("it is not a BPE model; unigram models are not supported")
	case m.charsmap:
		return errors.New("it has normalisation rules; only the identity is supported")
	}
	unknown := 0
	for i, p := range m.pieces {
		switch {
		case p.text == "" || !utf8.ValidString(p.text):
			return fmt.Errorf("piece %d is empty or not UTF-8", i)
		case len(p.text) > maxPieceBytes:
			return fmt.Errorf("piece %d is %d bytes long", i, len(p.text))
		case p.kind < pieceNormal || p.kind > pieceByte:
			return fmt.Errorf("piece %d %q is of the unknown type %d", i, p.text, p.kind)
		case p.score != p.score:
			return fmt.Errorf("piece %d %q has no score", i, p.text)
		case p.kind == pieceUnknown:
			unknown++
		}
	}
	if unknown != 1 {
		return fmt.Errorf("it has %d unknown pieces instead of one", unknown)
	}
	return nil
}

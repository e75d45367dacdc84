package schemas

// A look at Thrift's compact protocol, in which Parquet's footers and page headers are: whether what they announce is there. The
// library makes room first, for up to 2 GiB a string, and looks then.

import "errors"

var (
	errThriftCut = errors.New("it ends in the middle")
	errThrift    = errors.New("it is no Thrift")
)

// thrift is a place in a text in the compact protocol.
type thrift struct {
	b  []byte
	at int
}

// maxThriftDepth is more than Parquet's structures have.
const maxThriftDepth = 32

// thriftLength is the length of the structure at the beginning of b. visit, if not nil, is called with the integers of it and
// of the structures in it: outer is the number of the field that the inner structure is, 0 for its own.
func thriftLength(b []byte, visit func(outer, field int16, value int64)) (int, error) {
	t := thrift{b: b}
	err := t.structure(0, 0, visit)
	return t.at, err
}

func (t *thrift) structure(depth int, outer int16, visit func(outer, field int16, value int64)) error {
	field := int16(0)
	for {
		head, err := t.byte()
		if err != nil || head == 0 {
			return err
		}
		if delta := int16(head >> 4); delta != 0 {
			field += delta
		} else {
			id, err := t.integer()
			if err != nil {
				return err
			}
			field = int16(id)
		}
		kind := head & 15
		switch {
		case kind <= 2: // true and false have no value
		case kind >= 3 && kind <= 6 && visit != nil && depth < 2:
			v, err := t.integer()
			if err != nil {
				return err
			}
			visit(outer, field, v)
		case kind == 12 && depth == 0:
			if err := t.structure(1, field, visit); err != nil {
				return err
			}
		default:
			if err := t.skip(kind, depth+1); err != nil {
				return err
			}
		}
	}
}

// skip passes over a value that has at least a byte.
func (t *thrift) skip(kind byte, depth int) error {
	if depth > maxThriftDepth {
		return errThrift
	}
	switch kind {
	case 1, 2, 3: // in lists truth has a byte too
		return t.skipBytes(1)
	case 4, 5, 6:
		_, err := t.unsigned()
		return err
	case 7:
		return t.skipBytes(8)
	case 8:
		n, err := t.unsigned()
		if err != nil {
			return err
		}
		return t.skipBytes(n)
	case 9, 10:
		head, err := t.byte()
		if err != nil {
			return err
		}
		n := uint64(head >> 4)
		if n == 15 {
			if n, err = t.unsigned(); err != nil {
				return err
			}
		}
		return t.items(n, depth, head&15)
	case 11:
		n, err := t.unsigned()
		if err != nil || n == 0 {
			return err
		}
		head, err := t.byte()
		if err != nil {
			return err
		}
		return t.items(n, depth, head>>4, head&15)
	case 12:
		return t.structure(depth, 0, nil)
	}
	return errThrift
}

// items passes over n times a value of each kind.
func (t *thrift) items(n uint64, depth int, kinds ...byte) error {
	if n > uint64(len(t.b)-t.at) {
		return errThriftCut
	}
	for range n {
		for _, kind := range kinds {
			if err := t.skip(kind, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *thrift) byte() (byte, error) {
	if t.at == len(t.b) {
		return 0, errThriftCut
	}
	t.at++
	return t.b[t.at-1], nil
}

func (t *thrift) skipBytes(n uint64) error {
	if n > uint64(len(t.b)-t.at) {
		return errThriftCut
	}
	t.at += int(n)
	return nil
}

func (t *thrift) unsigned() (n uint64, err error) {
	for shift := 0; shift < 64; shift += 7 {
		c, err := t.byte()
		if err != nil {
			return 0, err
		}
		n |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return n, nil
		}
	}
	return 0, errThrift
}

// integer reads a signed number, which is written zigzag.
func (t *thrift) integer() (int64, error) {
	n, err := t.unsigned()
	return int64(n>>1) ^ -int64(n&1), err
}

package data

// The footer of an Arrow IPC file, checked before arrow/go sees it: arrow/go allocates whatever a footer or message says.
// FlatBuffers are read here by hand, as far as the checks go; an index out of range is a damaged file.

import (
	"encoding/binary"
	"errors"
	"fmt"

	"mmc4/schemas"
)

// Limits far above what docs needs.
const (
	largestFooter = 4 << 20
	mostFields    = 256
	deepestField  = 8
	longestName   = 1 << 10
	mostMetadata  = 64
	mostRows      = 1 << 20 // of a record batch
)

// arrowTypes are the values of FlatBuffers' Type union that docs has: Int, FloatingPoint, Binary, Utf8, Timestamp, List, Struct.
var arrowTypes = map[byte]bool{2: true, 3: true, 4: true, 5: true, 10: true, 12: true, 13: true}

// arrowBlock is where a record batch lies: message, then body.
type arrowBlock struct {
	offset     int64
	meta, body int64
}

// flat is a FlatBuffer. Its methods take positions and panic outside of it; guarded makes that an error.
type flat []byte

func (f flat) u16(at int) int   { return int(binary.LittleEndian.Uint16(f[at:])) }
func (f flat) u32(at int) int   { return int(binary.LittleEndian.Uint32(f[at:])) }
func (f flat) i64(at int) int64 { return int64(binary.LittleEndian.Uint64(f[at:])) }

// field is the position of field n of the table at a position, 0: absent.
func (f flat) field(table, n int) int {
	vtable := table - int(int32(f.u32(table)))
	if at := 4 + 2*n; at < f.u16(vtable) && f.u16(vtable+at) != 0 {
		return table + f.u16(vtable+at)
	}
	return 0
}

// follow is what an offset at a position points to.
func (f flat) follow(at int) int { return at + f.u32(at) }

// vector is the first element and the length of a vector field; each element has size bytes.
func (f flat) vector(at, size int) (first, n int) {
	if at == 0 {
		return 0, 0
	}
	first = f.follow(at)
	n = f.u32(first)
	_ = f[first+4 : first+4+n*size]
	return first + 4, n
}

// guarded turns a panic over foreign bytes into an error.
func guarded(err *error, what string) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %s: %v", schemas.ErrDamaged, what, p)
	}
}

// parseFooter gives the record batches of a file whose footer begins at end, after checking everything that arrow/go will
// allocate for.
func parseFooter(f flat, end int64) (blocks []arrowBlock, err error) {
	defer guarded(&err, "Arrow footer")
	footer := f.follow(0)
	if _, n := f.vector(f.field(footer, 2), 24); n > 0 {
		return nil, errors.New("the Arrow file has dictionaries; docs has none")
	}
	schema := f.field(footer, 1)
	if schema == 0 {
		return nil, fmt.Errorf("%w: the Arrow file has no schema", schemas.ErrDamaged)
	}
	left := mostFields
	if err := f.checkFields(f.follow(schema), 1, 2, deepestField, &left); err != nil {
		return nil, err
	}
	at, n := f.vector(f.field(footer, 3), 24)
	for i := range n {
		b := arrowBlock{f.i64(at + 24*i), int64(int32(f.u32(at + 24*i + 8))), f.i64(at + 24*i + 16)}
		if b.offset < 8 || b.meta < 16 || b.body < 0 || b.offset > end || b.meta > end-b.offset || b.body > end-b.offset-b.meta {
			return nil, fmt.Errorf("%w: record batch %d lies outside of the Arrow file", schemas.ErrDamaged, i)
		}
		blocks = append(blocks, b)
	}
	return blocks, nil
}

// checkFields checks the vector of fields n of a table (a schema or a field), and its metadata m.
func (f flat) checkFields(table, n, m, depth int, left *int) error {
	if _, k := f.vector(f.field(table, m), 4); k > mostMetadata {
		return fmt.Errorf("%w: %d entries of metadata", schemas.ErrDamaged, k)
	}
	at, k := f.vector(f.field(table, n), 4)
	if *left -= k; *left < 0 || depth == 0 {
		return fmt.Errorf("the Arrow file has more columns than docs")
	}
	for i := range k {
		field := f.follow(at + 4*i)
		name, length := f.vector(f.field(field, 0), 1)
		if length > longestName {
			return fmt.Errorf("%w: a column's name has %d bytes", schemas.ErrDamaged, length)
		}
		kind := byte(0)
		if p := f.field(field, 2); p != 0 {
			kind = f[p]
		}
		if !arrowTypes[kind] || f.field(field, 4) != 0 {
			return fmt.Errorf("column %q of the Arrow file has a type that docs has not (%d)", f[name:name+length], kind)
		}
		if err := f.checkFields(field, 5, 6, depth-1, left); err != nil {
			return err
		}
	}
	return nil
}

// batchRows gives the rows of a record batch from its message.
func batchRows(message []byte) (rows int, err error) {
	defer guarded(&err, "Arrow message")
	f := flat(message[8:]) // after the marker and the length; in files older than Arrow 0.15 only the length
	if flat(message).u32(0) != 0xffffffff {
		f = flat(message[4:])
	}
	root := f.follow(0)
	if kind := f.field(root, 1); kind == 0 || f[kind] != 3 {
		return 0, fmt.Errorf("%w: the Arrow message is no record batch", schemas.ErrDamaged)
	}
	batch := f.follow(f.field(root, 2))
	length := int64(0)
	if at := f.field(batch, 0); at != 0 {
		length = f.i64(at)
	}
	if length < 0 || length > mostRows {
		return 0, fmt.Errorf("%w: a record batch of %d rows; at most %d are read", schemas.ErrDamaged, length, mostRows)
	}
	return int(length), nil
}

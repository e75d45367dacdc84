package weights

// The unpickler: a stack machine for pickle protocols 2 to 5 that builds plain values and calls nothing but the short list
// in pickle_names.go. Reads bytes only; its memory is bounded by the length of the pickle.
// Opcodes: Python's pickletools.

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"unicode/utf8"
)

// unpickler reads one pickle.
type unpickler struct {
	b     []byte
	at    int
	stack []any
	marks []int // stack heights
	memo  map[uint32]any

	copied int // items that builders copied; see copies

	// storage resolves a persistent id ('storage', type, key, location, elements).
	storage func(id Tuple) (*storage, error)
}

// unpickle reads the pickle at the front of b and says how long it is.
func unpickle(b []byte, resolve func(Tuple) (*storage, error)) (value any, length int, err error) {
	u := &unpickler{b: b, memo: map[uint32]any{}, storage: resolve}
	for {
		op, err := u.byte()
		if err != nil {
			return nil, 0, err
		}
		if op == '.' {
			value, err := u.pop()
			if err != nil {
				return nil, 0, err
			}
			return value, u.at, nil
		}
		if err := u.do(op); err != nil {
			return nil, 0, fmt.Errorf("pickle, byte %d: %w", u.at-1, err)
		}
	}
}

var (
	errShort     = errors.New("the pickle is cut short; fetch the file again")
	errUnderflow = errors.New("the pickle takes more from its stack than it put there")
)

func (u *unpickler) byte() (byte, error) {
	if u.at >= len(u.b) {
		return 0, errShort
	}
	u.at++
	return u.b[u.at-1], nil
}

func (u *unpickler) take(n uint64) ([]byte, error) {
	if n > uint64(len(u.b)-u.at) {
		return nil, errShort
	}
	b := u.b[u.at : u.at+int(n)]
	u.at += int(n)
	return b, nil
}

// number reads an unsigned little-endian number of 1, 2, 4 or 8 bytes.
func (u *unpickler) number(width uint64) (uint64, error) {
	b, err := u.take(width)
	if err != nil {
		return 0, err
	}
	var wide [8]byte
	copy(wide[:], b)
	return binary.LittleEndian.Uint64(wide[:]), nil
}

// copies accounts for the items that a builder copies. A value can be recalled for two bytes and copied each time: where all copies
// together are more than the pickle is long, it is made to fill memory, not by torch.save.
func (u *unpickler) copies(n int) error {
	if u.copied += n; u.copied > len(u.b) {
		return errors.New("the pickle copies more than it holds")
	}
	return nil
}

// sized reads a length of the given width and that many bytes.
func (u *unpickler) sized(width uint64) ([]byte, error) {
	n, err := u.number(width)
	if err != nil {
		return nil, err
	}
	return u.take(n)
}

func (u *unpickler) line() (string, error) {
	end := slices.Index(u.b[u.at:min(len(u.b), u.at+1024)], '\n')
	if end < 0 {
		return "", errShort
	}
	s := string(u.b[u.at : u.at+end])
	u.at += end + 1
	return s, nil
}

func (u *unpickler) push(v any) { u.stack = append(u.stack, v) }

// floor is the height below which the stack belongs to an outer mark.
func (u *unpickler) floor() int {
	if len(u.marks) > 0 {
		return u.marks[len(u.marks)-1]
	}
	return 0
}

func (u *unpickler) pop() (any, error) {
	if len(u.stack) <= u.floor() {
		return nil, errUnderflow
	}
	v := u.stack[len(u.stack)-1]
	u.stack = u.stack[:len(u.stack)-1]
	return v, nil
}

func (u *unpickler) top() (any, error) {
	if len(u.stack) <= u.floor() {
		return nil, errUnderflow
	}
	return u.stack[len(u.stack)-1], nil
}

// popMark takes everything down to the last mark.
func (u *unpickler) popMark() ([]any, error) {
	if len(u.marks) == 0 {
		return nil, errors.New("the pickle asks for a mark that is not there")
	}
	height := u.floor()
	u.marks = u.marks[:len(u.marks)-1]
	items := slices.Clone(u.stack[height:])
	u.stack = u.stack[:height]
	return items, nil
}

func (u *unpickler) do(op byte) error {
	switch op {
	case 0x80: // PROTO
		version, err := u.byte()
		if err == nil && (version < 2 || version > 5) {
			err = fmt.Errorf("pickle protocol %d; 2 to 5 can be read", version)
		}
		return err
	case 0x95: // FRAME
		_, err := u.number(8)
		return err
	case '(': // MARK
		u.marks = append(u.marks, len(u.stack))
		return nil
	case '0': // POP
		if len(u.marks) > 0 && len(u.stack) == u.floor() {
			_, err := u.popMark()
			return err
		}
		_, err := u.pop()
		return err
	case '1': // POP_MARK
		_, err := u.popMark()
		return err
	case '2': // DUP
		v, err := u.top()
		if err == nil {
			u.push(v)
		}
		return err
	case 'N':
		u.push(nil)
		return nil
	case 0x88, 0x89:
		u.push(op == 0x88)
		return nil
	case 'J', 'K', 'M', 0x8a, 0x8b, 'G':
		return u.scalar(op)
	case 'X', 0x8c, 0x8d, 'T', 'U', 'B', 'C', 0x8e, 0x96:
		return u.text(op)
	case ']', 'a', 'e', 'l', ')', 't', 0x85, 0x86, 0x87, '}', 'd', 's', 'u', 0x8f, 0x90, 0x91:
		return u.container(op)
	case 'h', 'j', 'q', 'r', 0x94:
		return u.remember(op)
	case 'c', 0x93, 'R', 0x81, 'b', 'Q':
		return u.object(op)
	}
	return fmt.Errorf("the pickle uses opcode 0x%02x, which model files do not need; it is refused", op)
}

func (u *unpickler) scalar(op byte) error {
	switch op {
	case 'J': // BININT
		n, err := u.number(4)
		u.push(int64(int32(n)))
		return err
	case 'K':
		n, err := u.number(1)
		u.push(int64(n))
		return err
	case 'M':
		n, err := u.number(2)
		u.push(int64(n))
		return err
	case 'G': // BINFLOAT, big-endian
		b, err := u.take(8)
		if err != nil {
			return err
		}
		u.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
		return nil
	}
	width := uint64(1) // LONG1
	if op == 0x8b {
		width = 4
	}
	b, err := u.sized(width)
	if err != nil {
		return err
	}
	if len(b) > 1024 {
		return fmt.Errorf("an integer of %d bytes is refused", len(b))
	}
	u.push(longInteger(b))
	return nil
}

// longInteger reads little-endian two's complement.
func longInteger(b []byte) any {
	if len(b) <= 8 {
		var wide [8]byte
		copy(wide[:], b)
		if len(b) > 0 && b[len(b)-1]&0x80 != 0 {
			for i := len(b); i < 8; i++ {
				wide[i] = 0xff
			}
		}
		return int64(binary.LittleEndian.Uint64(wide[:]))
	}
	reversed := slices.Clone(b)
	slices.Reverse(reversed)
	n := new(big.Int).SetBytes(reversed)
	if b[len(b)-1]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}

func (u *unpickler) text(op byte) error {
	width := uint64(4) // BINUNICODE, BINSTRING, BINBYTES
	switch op {
	case 0x8c, 'U', 'C': // the SHORT_ forms
		width = 1
	case 0x8d, 0x8e, 0x96: // BINUNICODE8, BINBYTES8, BYTEARRAY8
		width = 8
	}
	b, err := u.sized(width)
	if err != nil {
		return err
	}
	switch op {
	case 'B', 'C', 0x8e, 0x96:
		u.push(slices.Clone(b))
		return nil
	}
	if !utf8.Valid(b) { // lone surrogates that Python let through, or bytes of Python 2
		u.push(string([]rune(string(b))))
		return nil
	}
	u.push(string(b))
	return nil
}

func (u *unpickler) container(op byte) error {
	switch op {
	case ']', 0x8f: // EMPTY_LIST, EMPTY_SET
		u.push(&List{})
		return nil
	case '}':
		u.push(&Dict{})
		return nil
	case ')':
		u.push(Tuple{})
		return nil
	case 0x85, 0x86, 0x87: // TUPLE1..3
		n := int(op-0x85) + 1
		if len(u.stack)-u.floor() < n {
			return errUnderflow
		}
		items := slices.Clone(u.stack[len(u.stack)-n:])
		u.stack = append(u.stack[:len(u.stack)-n], Tuple(items))
		return nil
	case 'a', 's': // APPEND, SETITEM
		n := 1
		if op == 's' {
			n = 2
		}
		if len(u.stack)-u.floor() < n+1 {
			return errUnderflow
		}
		items := slices.Clone(u.stack[len(u.stack)-n:])
		u.stack = u.stack[:len(u.stack)-n]
		return u.extend(items, op == 's')
	}
	items, err := u.popMark()
	if err != nil {
		return err
	}
	switch op {
	case 't':
		u.push(Tuple(items))
		return nil
	case 'l', 0x91: // LIST, FROZENSET
		u.push(&List{Items: items})
		return nil
	case 'd':
		u.push(&Dict{})
		return u.extend(items, true)
	case 'u': // SETITEMS
		return u.extend(items, true)
	}
	return u.extend(items, false) // APPENDS, ADDITEMS
}

// extend adds items to the list or dict on top of the stack.
func (u *unpickler) extend(items []any, pairs bool) error {
	target, err := u.top()
	if err != nil {
		return err
	}
	if !pairs {
		list, ok := target.(*List)
		if !ok {
			return fmt.Errorf("the pickle appends to %T", target)
		}
		list.Items = append(list.Items, items...)
		return nil
	}
	dict, ok := target.(*Dict)
	if !ok || len(items)%2 != 0 {
		return fmt.Errorf("the pickle sets items of %T", target)
	}
	for i := 0; i < len(items); i += 2 {
		switch items[i].(type) {
		case *List, *Dict:
			return errors.New("the pickle uses a list or dict as a key")
		}
		dict.set(items[i], items[i+1])
	}
	return nil
}

func (u *unpickler) remember(op byte) error {
	index := uint64(len(u.memo)) // MEMOIZE
	var err error
	switch op {
	case 'h', 'q':
		index, err = u.number(1)
	case 'j', 'r':
		index, err = u.number(4)
	}
	if err != nil {
		return err
	}
	if op == 'h' || op == 'j' {
		v, ok := u.memo[uint32(index)]
		if !ok {
			return fmt.Errorf("the pickle recalls value %d, which it never stored", index)
		}
		u.push(v)
		return nil
	}
	v, err := u.top()
	u.memo[uint32(index)] = v
	return err
}

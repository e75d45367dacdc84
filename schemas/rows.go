package schemas

// Rows out of columns: Dremel's record assembly, column by column (Melnik et al. 2010, section 4.3). The plan says for every leaf column
// where in the Go row its values go; it is made once from the struct tags, so that a value costs a bounds check and a store.
//
// This is the one place that writes through unsafe pointers. An address is always that of a field of a row the caller handed in, or
// of an element of a slice in it, by the offsets that reflect gives; what the file says is only ever a count, checked against the
// slice.

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/parquet-go/parquet-go"
)

// target is where the values of a leaf column go in a row.
type target struct {
	lists []listTarget // those around the value, outermost first
	at    uintptr      // of the value, within the element of the innermost list or within the row
	need  bool         // a null is an error: the table has none here
	set   func(field unsafe.Pointer, p *pages, v int)
}

// listTarget is a slice in a row.
type listTarget struct {
	at   uintptr // of the slice, within the element of the list around it
	kind reflect.Type
	size uintptr // of an element
}

// sliceHeader is how Go lays a slice out.
type sliceHeader struct {
	data     unsafe.Pointer
	len, cap int
}

// targets finds the leaves of a schema in the struct that it was made from.
func targets(root parquet.Node, row reflect.Type) ([]target, error) {
	var out []target
	var walk func(node parquet.Node, kind reflect.Type, at target, path string) error
	walk = func(node parquet.Node, kind reflect.Type, at target, path string) error {
		if element, ok := listElement(node); ok {
			if kind.Kind() != reflect.Slice {
				return fmt.Errorf("column %s is a list, %v is not", path, kind)
			}
			list := listTarget{at.at, kind, kind.Elem().Size()}
			return walk(element, kind.Elem(), target{lists: append(slices.Clip(at.lists), list)}, path)
		}
		if node.Leaf() {
			if at.set = setter(kind); at.set == nil {
				return fmt.Errorf("column %s cannot be read into %v", path, kind)
			}
			at.need = !node.Optional()
			out = append(out, at)
			return nil
		}
		if kind.Kind() != reflect.Struct || node.Optional() || node.Repeated() {
			return fmt.Errorf("column %s cannot be read into %v", path, kind)
		}
		for _, field := range node.Fields() {
			f, ok := taggedField(kind, field.Name())
			if !ok {
				return fmt.Errorf("%v has no field %s", kind, field.Name())
			}
			if err := walk(field, f.Type, target{lists: at.lists, at: at.at + f.Offset}, path+"."+field.Name()); err != nil {
				return err
			}
		}
		return nil
	}
	return out, walk(root, row, target{}, row.Name())
}

func taggedField(kind reflect.Type, name string) (reflect.StructField, bool) {
	for f := range kind.Fields() {
		if tag, _, _ := strings.Cut(f.Tag.Get("parquet"), ","); tag == name {
			return f, true
		}
	}
	return reflect.StructField{}, false
}

// setter gives what stores a value in a field of a type, nil for a type that no table has.
func setter(kind reflect.Type) func(field unsafe.Pointer, p *pages, v int) {
	switch kind {
	case reflect.TypeFor[string]():
		var texts arena
		return func(f unsafe.Pointer, p *pages, v int) { *(*string)(f) = texts.text(p.text(v)) }
	case reflect.TypeFor[*string]():
		var texts arena
		var values slab[string]
		return func(f unsafe.Pointer, p *pages, v int) { *(**string)(f) = values.of(texts.text(p.text(v))) }
	case reflect.TypeFor[[]byte]():
		return func(f unsafe.Pointer, p *pages, v int) { *(*[]byte)(f) = append([]byte{}, p.text(v)...) }
	case reflect.TypeFor[int32]():
		return func(f unsafe.Pointer, p *pages, v int) { *(*int32)(f) = p.int32s[p.place(v)] }
	case reflect.TypeFor[*int32]():
		var values slab[int32]
		return func(f unsafe.Pointer, p *pages, v int) { *(**int32)(f) = values.of(p.int32s[p.place(v)]) }
	case reflect.TypeFor[int64]():
		return func(f unsafe.Pointer, p *pages, v int) { *(*int64)(f) = p.int64s[p.place(v)] }
	case reflect.TypeFor[*int64]():
		var values slab[int64]
		return func(f unsafe.Pointer, p *pages, v int) { *(**int64)(f) = values.of(p.int64s[p.place(v)]) }
	case reflect.TypeFor[float32]():
		return func(f unsafe.Pointer, p *pages, v int) { *(*float32)(f) = p.float32s[p.place(v)] }
	case reflect.TypeFor[*float32]():
		var values slab[float32]
		return func(f unsafe.Pointer, p *pages, v int) { *(**float32)(f) = values.of(p.float32s[p.place(v)]) }
	case reflect.TypeFor[*float64]():
		var values slab[float64]
		return func(f unsafe.Pointer, p *pages, v int) { *(**float64)(f) = values.of(p.float64s[p.place(v)]) }
	case reflect.TypeFor[time.Time](): // the tables' times are in milliseconds; NewReader has compared that
		return func(f unsafe.Pointer, p *pages, v int) { *(*time.Time)(f) = time.UnixMilli(p.int64s[p.place(v)]).UTC() }
	case reflect.TypeFor[*time.Time]():
		var values slab[time.Time]
		return func(f unsafe.Pointer, p *pages, v int) {
			*(**time.Time)(f) = values.of(time.UnixMilli(p.int64s[p.place(v)]).UTC())
		}
	}
	return nil
}

// rowsInto stores the next rows of p in rows that lie one after another, size bytes each. They must be zero.
func (t *target) rowsInto(first unsafe.Pointer, size uintptr, rows int, p *pages) error {
	if len(t.lists) > 0 {
		for i := range rows {
			if err := t.listsInto(unsafe.Add(first, uintptr(i)*size), p); err != nil {
				return err
			}
		}
		return nil
	}
	field := unsafe.Add(first, t.at)
	for i := range rows {
		if p.at == p.entries {
			if ok, err := p.more(); err != nil {
				return err
			} else if !ok {
				return p.short()
			}
		}
		if p.maxDef == 0 || p.def[p.at] == p.maxDef {
			t.set(unsafe.Add(field, uintptr(i)*size), p, p.v)
			p.v++
		} else if t.need {
			return p.null()
		}
		p.at++
	}
	return nil
}

// listsInto stores the values of one row: those up to the next entry that begins a row.
func (t *target) listsInto(row unsafe.Pointer, p *pages) error {
	var elements [maxLists + 1]unsafe.Pointer // the row, and the open element of each list around the next value
	var next [maxLists]int                    // the place of the next element of each list
	elements[0] = row
	for known := -1; ; { // so many lists have an open element; -1 before the row's first entry
		ok, err := p.more()
		if err != nil {
			return err
		}
		if !ok || known >= 0 && p.rep[p.at] == 0 {
			if known < 0 {
				return p.short()
			}
			return nil
		}
		rep, def := int(p.rep[p.at]), p.def[p.at]
		p.at++
		if rep > max(known, 0) {
			return fmt.Errorf("%w: column %s goes on with a list that is not open", ErrDamaged, p.path)
		}
		list := max(rep, 1) - 1 // the outermost list that gets a new element; those within it begin anew
		for i := rep; i < len(t.lists); i++ {
			next[i] = 0
		}
		for known = list; known < len(t.lists); known++ {
			l := &t.lists[known]
			header := (*sliceHeader)(unsafe.Add(elements[known], l.at))
			if def < p.listDefs[known] {
				l.present(header)
				break
			}
			elements[known+1] = l.element(header, next[known])
			next[known]++
		}
		if def == p.maxDef {
			t.set(unsafe.Add(elements[len(t.lists)], t.at), p, p.v)
			p.v++
		} else if t.need && known == len(t.lists) {
			return p.null()
		}
	}
}

// maxLists is how many lists stand within each other at most: similarity_matrix has two.
const maxLists = 4

// present makes an empty list of none.
func (l *listTarget) present(h *sliceHeader) {
	if h.data == nil {
		reflect.NewAt(l.kind, unsafe.Pointer(h)).Elem().Set(reflect.MakeSlice(l.kind, 0, 0))
	}
}

// element gives the element at a place, which is at most one past the last: an earlier column of the same list made it, or it
// is made now.
func (l *listTarget) element(h *sliceHeader, place int) unsafe.Pointer {
	if place == h.len {
		if h.len == h.cap {
			reflect.NewAt(l.kind, unsafe.Pointer(h)).Elem().Grow(1)
		}
		h.len++
	}
	return unsafe.Add(h.data, uintptr(place)*l.size)
}

// arena makes strings that share blocks: one allocation for many, and no more than a block kept by one that lives on.
type arena struct{ free []byte }

const arenaBlock = 8 << 10

func (a *arena) text(b []byte) string {
	if len(b) > arenaBlock/4 || len(b) == 0 {
		return string(b)
	}
	if len(a.free) < len(b) {
		a.free = make([]byte, arenaBlock)
	}
	n := copy(a.free, b)
	s := unsafe.String(&a.free[0], n) // never written again
	a.free = a.free[n:]
	return s
}

// slab makes pointers to values that share an array.
type slab[T any] struct{ free []T }

func (s *slab[T]) of(v T) *T {
	if len(s.free) == 0 {
		s.free = make([]T, 64)
	}
	p := &s.free[0]
	*p, s.free = v, s.free[1:]
	return p
}

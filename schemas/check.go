package schemas

// The strict schema check: a file's columns against a table's, every difference named.

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"
)

// SchemaError lists the differences between a file's columns and the ones expected.
type SchemaError struct{ Differences []string }

func (e *SchemaError) Error() string {
	return "the file's columns are not the expected ones: " + strings.Join(e.Differences, "; ")
}

// CheckSchema opens a file and compares its columns with the table of T, both ways: names, types, nullability, nesting
// and order.
func CheckSchema[T Row](r io.ReaderAt, size int64) (err error) {
	defer damaged(&err)
	file, err := OpenFile(r, size)
	if err != nil {
		return err
	}
	var row T
	return compare(parquet.SchemaOf(row), file.Schema(), true)
}

// compare reports columns of want that got lacks or has otherwise and, when exact, columns that are too many or in
// another order.
func compare(want, got *parquet.Schema, exact bool) error {
	var differences []string
	wanted, found := describe(want, ""), describe(got, "")
	types := map[string]string{}
	for _, c := range found {
		types[c.path] = c.is
	}
	for _, c := range wanted {
		switch is, ok := types[c.path]; {
		case !ok:
			differences = append(differences, fmt.Sprintf("%s is missing (want %s)", c.path, c.is))
		case is != c.is:
			differences = append(differences, fmt.Sprintf("%s is %s, want %s", c.path, is, c.is))
		}
	}
	if exact {
		known := map[string]bool{}
		for _, c := range wanted {
			known[c.path] = true
		}
		for _, c := range found {
			if !known[c.path] {
				differences = append(differences, fmt.Sprintf("%s (%s) is not expected", c.path, c.is))
			}
		}
		if differences == nil && !slices.Equal(wanted, found) {
			differences = append(differences, "the columns are in another order")
		}
	}
	if differences != nil {
		return &SchemaError{differences}
	}
	return nil
}

type column struct{ path, is string }

// describe lists every node below a group with what it is: "required string", "optional int32", "required list".
func describe(group parquet.Node, prefix string) []column {
	var out []column
	for _, field := range group.Fields() {
		out = append(out, describeNode(field, prefix+field.Name())...)
	}
	return out
}

// describeNode describes one node and what is below it. The element of a list is called "element", whatever the file
// calls it: arrow writes "item" or "element", older programs "array".
func describeNode(node parquet.Node, path string) []column {
	level := "required "
	switch {
	case node.Optional():
		level = "optional "
	case node.Repeated():
		level = "repeated "
	}
	if element, ok := listElement(node); ok {
		return append([]column{{path, level + "list"}}, describeNode(element, path+".element")...)
	}
	if !node.Leaf() {
		return append([]column{{path, level + "struct"}}, describe(node, path+".")...)
	}
	return []column{{path, level + strings.ToLower(node.Type().String())}}
}

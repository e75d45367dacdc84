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
// another order. When not exact, what other programs make of a table that they read and write back is taken too: numbers without
// the note that they have a sign (Arrow), and columns that may have nulls (most); where a value is needed, a null is an error when it is read.
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
		case is != c.is && (exact || rewritten(is) != rewritten(c.is) || strings.HasPrefix(is, "repeated")):
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

// rewritten is what a column is but for what programs change that write a table back.
func rewritten(is string) string {
	_, kind, _ := strings.Cut(is, " ")
	switch kind {
	case "int(32,true)":
		return "int32"
	case "int(64,true)":
		return "int64"
	}
	return kind
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

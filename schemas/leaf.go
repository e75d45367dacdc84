package schemas

// The leaf columns of a schema: where each stands, and at which levels its lists and its values begin.

import (
	"github.com/parquet-go/parquet-go"
)

// leaf is one column of values.
type leaf struct {
	path     string // names with dots; the two levels that a list adds are left out: image_info.raw_url
	index    int    // among the leaves of its file
	kind     parquet.Kind
	maxDef   byte   // the definition level of a value that is there
	maxRep   byte   // the number of lists around it
	listDefs []byte // for each of these lists, outermost first: the definition level of an element that is there
}

// leaves gives the leaves below a group in the order in which files store them.
func leaves(root parquet.Node) []leaf {
	var out []leaf
	var walk func(node parquet.Node, at leaf)
	walk = func(node parquet.Node, at leaf) {
		switch {
		case node.Repeated():
			at.maxRep++
			at.maxDef++
			at.listDefs = append(at.listDefs[:len(at.listDefs):len(at.listDefs)], at.maxDef)
		case node.Optional():
			at.maxDef++
		}
		if node.Leaf() {
			at.index, at.kind = len(out), node.Type().Kind()
			out = append(out, at)
			return
		}
		if _, ok := listElement(node); ok {
			middle := node.Fields()[0]
			at.maxRep++
			at.maxDef++
			at.listDefs = append(at.listDefs[:len(at.listDefs):len(at.listDefs)], at.maxDef)
			walk(middle.Fields()[0], at)
			return
		}
		for _, field := range node.Fields() {
			child := at
			if child.path != "" {
				child.path += "."
			}
			child.path += field.Name()
			walk(field, child)
		}
	}
	walk(root, leaf{})
	return out
}

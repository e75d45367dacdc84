package params

import (
	"strings"

	"mmc4/models/weights"
)

// At is a source of one file, where every name stands behind a prefix ("", "w.", "lang_encoder.").
func At(file *weights.File, prefix string) Source { return &at{file, prefix} }

type at struct {
	file   *weights.File
	prefix string
}

func (a *at) Find(name string) (*weights.File, string, bool) {
	return a.file, a.prefix + name, a.file.Has(a.prefix + name)
}

// First looks in one source after the other; the last one words the message when nothing is found.
func First(sources ...Source) Source { return first(sources) }

type first []Source

func (f first) Find(name string) (file *weights.File, stored string, ok bool) {
	for _, s := range f {
		if file, stored, ok = s.Find(name); ok {
			return file, stored, true
		}
	}
	return file, stored, false
}

// PrefixOf finds what stands before a name in the file: "", or something that ends in a dot. The shortest wins.
func PrefixOf(file *weights.File, name string) (prefix string, ok bool) {
	for _, n := range file.Names() {
		rest, found := strings.CutSuffix(n, name)
		if found && (rest == "" || strings.HasSuffix(rest, ".")) && (!ok || len(rest) < len(prefix)) {
			prefix, ok = rest, true
		}
	}
	return prefix, ok
}

package page

// The reference: candidates from the tree that golang.org/x/net/html builds. scan must give the same, or say that it cannot.

import (
	"bytes"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// walk parses the text (scripting off) and gives the href of the first <base> and the candidates in tree order. The parser
// refuses pages whose elements are nested deeper than 512.
func walk(text []byte, sel Selection) (base string, list []found, err error) {
	root, err := html.ParseWithOptions(bytes.NewReader(text), html.ParseOptionEnableScripting(false))
	if err != nil {
		return "", nil, err
	}
	haveBase := false
	for n := range root.Descendants() {
		if n.Type != html.ElementNode || n.Namespace != "" {
			continue
		}
		get := func(name string) (string, bool) {
			for i := range n.Attr {
				if n.Attr[i].Namespace == "" && n.Attr[i].Key == name {
					return n.Attr[i].Val, true
				}
			}
			return "", false
		}
		switch n.DataAtom {
		case atom.Img:
			list = image(list, sel, get)
		case atom.Source:
			list = source(list, sel, get)
		case atom.Base:
			if href, ok := get("href"); ok && !haveBase {
				base, haveBase = href, true
			}
		}
	}
	return base, list, nil
}

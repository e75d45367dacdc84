package hub

// The name of a model: hf://org/name[@revision].

import (
	"fmt"
	"strings"
)

// Ref names one revision of a model.
type Ref struct {
	ID       string // org/name, or the bare name of an old model
	Revision string // a branch, a tag, a commit or refs/pr/N
}

// isID says whether id has the form of a model's name: one part or two, each of at most 96 letters, digits, dots, lines and
// dashes, a letter or digit first.
func isID(id string) bool {
	parts := strings.Split(id, "/")
	for _, part := range parts {
		if part == "" || len(part) > 96 || strings.ContainsRune("._-", rune(part[0])) {
			return false
		}
		for _, c := range part {
			letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
			if !letter && !('0' <= c && c <= '9') && !strings.ContainsRune("._-", c) {
				return false
			}
		}
	}
	return len(parts) <= 2
}

// ParseRef reads hf://org/name or hf://org/name@revision; the revision is main unless told.
func ParseRef(text string) (Ref, error) {
	rest, ok := strings.CutPrefix(text, "hf://")
	if !ok {
		return Ref{}, fmt.Errorf("%q: a model is named hf://org/name or hf://org/name@revision", text)
	}
	id, revision, told := strings.Cut(rest, "@")
	if !told {
		revision = "main"
	}
	switch {
	case !isID(id) || strings.Contains(id, ".."):
		return Ref{}, fmt.Errorf("%q: %q is no name of a model; write hf://org/name", text, id)
	case revision == "" || strings.ContainsAny(revision, " \t\r\n?#\\") || strings.Contains(revision, ".."):
		return Ref{}, fmt.Errorf("%q: %q is no revision; write a branch, a tag or a commit after the @", text, revision)
	}
	return Ref{ID: id, Revision: revision}, nil
}

// Folder is the name of a folder for the model: the last part of its name.
func (r Ref) Folder() string { return r.ID[strings.LastIndexByte(r.ID, '/')+1:] }

func (r Ref) String() string { return "hf://" + r.ID + "@" + r.Revision }

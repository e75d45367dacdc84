package storage

import (
	"path"
	"strings"
)

// hasWildcards says whether a pattern names more than itself.
func hasWildcards(pattern string) bool { return strings.ContainsAny(pattern, "*?[") }

// match says whether name matches pattern: path.Match within a part, and a part ** stands for any number of parts.
func match(pattern, name string) (bool, error) {
	return matchParts(strings.Split(pattern, "/"), strings.Split(name, "/"))
}

func matchParts(pattern, name []string) (bool, error) {
	for i, p := range pattern {
		if p == "**" {
			rest := pattern[i+1:]
			for len(rest) > 0 && rest[0] == "**" {
				rest = rest[1:]
			}
			for skip := i; skip <= len(name); skip++ {
				if ok, err := matchParts(rest, name[skip:]); ok || err != nil {
					return ok, err
				}
			}
			return false, nil
		}
		if i >= len(name) {
			return false, nil
		}
		if ok, err := path.Match(p, name[i]); !ok || err != nil {
			return false, err
		}
	}
	return len(pattern) == len(name), nil
}

// splitPattern cuts a pattern before the first part with a wildcard: the folder to list and what to match below it.
func splitPattern(pattern string) (folder, rest string) {
	parts := strings.Split(pattern, "/")
	for i, p := range parts {
		if hasWildcards(p) || i == len(parts)-1 {
			folder = strings.Join(parts[:i], "/")
			if i == 1 && parts[0] == "" {
				folder = "/"
			}
			return folder, strings.Join(parts[i:], "/")
		}
	}
	return "", pattern
}

// fixedPrefix is the beginning of a pattern up to its first wildcard.
func fixedPrefix(pattern string) string {
	if i := strings.IndexAny(pattern, "*?["); i >= 0 {
		return pattern[:i]
	}
	return pattern
}

package storage

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strings"
)

// temporary is the folder of a store's root that holds unfinished blobs; it is part of no name.
const temporary = ".mmc4-unfinished"

// checkName refuses what is not a relative slash-separated path.
func checkName(name string) error {
	if !fs.ValidPath(name) || name == "." || strings.Contains("/"+name+"/", "/"+temporary+"/") || strings.ContainsRune(name, 0) {
		return fmt.Errorf("%q is no name of a blob: want a relative path without empty, . or .. parts", name)
	}
	return nil
}

// failed says which blob an error is about; nil stays nil.
func failed(s Store, verb, name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", verb, s.Location(name), err)
}

// randomName is 16 hexadecimal digits nobody else has.
func randomName() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

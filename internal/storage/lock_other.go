//go:build !unix

package storage

// Without flock(2) nobody can tell whether a temporary file's writer lives: none is removed as a leftover.

import "os"

func lockFile(*os.File) (held, sure bool) { return true, false }

func noFolderSync(error) bool { return true }

package bench

// Where a measurement takes place: a scratch folder, the peers' folder and the seed.

import (
	"embed"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed peers/*.py
var scripts embed.FS

// Lab is used by one row at a time.
type Lab struct {
	Dir   string // scratch; gone after Close
	Peers string // what `make peers` made
	Seed  uint64
}

// NewLab makes a lab with a scratch folder below tmp ("" for the system's).
func NewLab(tmp, peers string, seed uint64) (*Lab, error) {
	dir, err := os.MkdirTemp(tmp, "mmc4-bench-")
	if err != nil {
		return nil, err
	}
	lab := &Lab{Dir: dir, Peers: peers, Seed: seed}
	if lab.Peers, err = filepath.Abs(peers); err == nil {
		err = os.CopyFS(filepath.Join(dir, "scripts"), scripts)
	}
	if err != nil {
		lab.Close()
		return nil, err
	}
	return lab, nil
}

// Close removes the scratch folder.
func (l *Lab) Close() error { return os.RemoveAll(l.Dir) }

// Path is a file in the scratch folder.
func (l *Lab) Path(name string) string { return filepath.Join(l.Dir, name) }

// Write puts a file into the scratch folder.
func (l *Lab) Write(name string, data []byte) (string, error) {
	path := l.Path(name)
	return path, os.WriteFile(path, data, 0o644)
}

// Rand draws the input of a row: the same for every run with the seed, whatever rows ran before.
func (l *Lab) Rand(row string) *rand.Rand {
	h := l.Seed
	for _, c := range []byte(row) {
		h = (h ^ uint64(c)) * 0x100000001b3
	}
	return rand.New(rand.NewPCG(l.Seed, h))
}

// Python starts a script of peers/ in the peers' virtual environment.
func (l *Lab) Python(script string, open args) (*Peer, error) {
	python := filepath.Join(l.Peers, "bin", "python")
	if _, err := os.Stat(python); err != nil {
		return nil, Unavailable{fmt.Sprintf("no peers in %s: run `make peers`, or say --peers DIR", l.Peers)}
	}
	return start(exec.Command(python, "-W", "ignore", filepath.Join(l.Dir, "scripts", "peers", script)), script, open)
}

// PythonAt starts a script of peers/ with another Python, in this process's environment: a GPU machine's own.
func (l *Lab) PythonAt(python, script string, open map[string]any) (*Peer, error) {
	cmd := exec.Command(python, "-W", "ignore", filepath.Join(l.Dir, "scripts", "peers", script))
	cmd.Env = os.Environ()
	return start(cmd, script, open)
}

// Program starts a program that `make peers` built.
func (l *Lab) Program(name string, open args) (*Peer, error) {
	path := filepath.Join(l.Peers, "bin", name)
	if _, err := os.Stat(path); err != nil {
		return nil, Unavailable{fmt.Sprintf("no %s: run `make peers`, or say --peers DIR", path)}
	}
	return start(exec.Command(path), name, open)
}

package bench

// A peer is a child process that lives as long as its row and speaks JSON lines: a request on stdin, an answer on stdout.
//
//	{"do":"open", ...}             -> {"version":"scipy 1.17.1"}   reads its input; what it takes stands in its script
//	{"do":"output","path":"FILE"}  -> {}                           computes once and writes the result, for comparing
//	{"do":"run","times":3}         -> {"cpu_s":0.25}               computes, user and system time of its process (or what its clock says)
//
// Any answer may be {"error":"..."} instead. It ends when stdin does.

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Peer is a running peer.
type Peer struct {
	name    string
	version string
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	said    *tail
}

// args are a request's fields.
type args map[string]any

type answer struct {
	Version string  `json:"version"`
	CPU     float64 `json:"cpu_s"`
	Peak    float64 `json:"peak_bytes"`
	Error   string  `json:"error"`
}

// start runs a command and opens it.
func start(cmd *exec.Cmd, name string, open args) (*Peer, error) {
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p := &Peer{name: name, cmd: cmd, in: in, out: bufio.NewReader(out), said: &tail{}}
	cmd.Stderr = p.said
	if cmd.Env == nil {
		cmd.Env = peerEnv()
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("peer %s: %w", name, err)
	}
	a, err := p.ask("open", open)
	if err != nil {
		p.Close()
		return nil, err
	}
	p.version = a.Version
	return p, nil
}

// peerEnv is this process's, with one thread for everything and nothing that holds a library back: some images preset
// OPENBLAS_CORETYPE, which halves OpenBLAS.
func peerEnv() []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "OPENBLAS") {
			env = append(env, v)
		}
	}
	return append(env, "OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1", "MKL_NUM_THREADS=1", "RAYON_NUM_THREADS=1",
		"TOKENIZERS_PARALLELISM=false", "CUDA_VISIBLE_DEVICES=", "HF_HUB_OFFLINE=1", "PYTHONDONTWRITEBYTECODE=1")
}

func (p *Peer) ask(do string, fields args) (answer, error) {
	request := args{"do": do}
	for k, v := range fields {
		request[k] = v
	}
	line, err := json.Marshal(request)
	if err != nil {
		return answer{}, err
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		return answer{}, p.died(err)
	}
	line, err = p.out.ReadBytes('\n')
	if err != nil {
		return answer{}, p.died(err)
	}
	var a answer
	if err := json.Unmarshal(line, &a); err != nil {
		return a, fmt.Errorf("peer %s answered %q: %w", p.name, line, err)
	}
	if a.Error != "" {
		return a, fmt.Errorf("peer %s: %s", p.name, a.Error)
	}
	return a, nil
}

func (p *Peer) died(err error) error {
	if errors.Is(err, io.EOF) {
		err = errors.New("it ended")
	}
	return fmt.Errorf("peer %s: %w\n%s", p.name, err, p.said)
}

func (p *Peer) Version() string { return p.version }

func (p *Peer) Run(times int) (time.Duration, error) {
	a, err := p.ask("run", args{"times": times})
	return time.Duration(a.CPU * float64(time.Second)), err
}

// Output makes the peer compute once and returns what it wrote.
func (p *Peer) Output(lab *Lab) ([]byte, error) {
	path := filepath.Join(lab.Dir, "output")
	defer os.Remove(path)
	if _, err := p.ask("output", args{"path": path}); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// OutputJSON is Output, parsed.
func (p *Peer) OutputJSON(lab *Lab, into any) error {
	data, err := p.Output(lab)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("peer %s: its output: %w", p.name, err)
	}
	return nil
}

// Close ends the peer.
func (p *Peer) Close() error {
	p.in.Close()
	done := make(chan error, 1)
	go func() { done <- p.cmd.Wait() }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		p.cmd.Process.Kill()
		<-done
	}
	return nil // it has said all that was asked of it
}

// tail keeps the end of what a peer says on stderr.
type tail struct {
	mu   sync.Mutex
	kept []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, b...)
	if over := len(t.kept) - 4096; over > 0 {
		t.kept = t.kept[over:]
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.kept))
}

// Package params turns named tensors into parameters of a model: read from weight files under whatever names a program
// gave them, drawn at random for a model that is to be trained from the start, or only counted. Language models and
// Flamingo share it.
//
// Names are those of Hugging Face or open_flamingo; Source maps them to what a file really calls them. Linear weights are
// kept [out,in]; GPT-2's Conv1D, stored [in,out], is turned on its way in and out.
package params

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"

	"mmc4/kernels"
	"mmc4/models/weights"
)

// Source finds tensors. *weights.File is wrapped by At.
type Source interface {
	// Find gives the file that holds a parameter and the name it has there. ok is false when it is nowhere; file and stored
	// then say where it was expected, for the message.
	Find(name string) (file *weights.File, stored string, ok bool)
}

// Weight is one parameter and what files call it.
type Weight struct {
	Name  string // without any prefix
	Shape []int  // as files store it
	// Rows are those of the stored table that Param holds, in order; nil: all.
	Rows []int
	// Param is nil in a plan.
	Param *kernels.Param
	// Conv1D says that files store the matrix [in,out] while Param is [out,in].
	Conv1D bool
}

// Dims is the shape of Param.
func (w *Weight) Dims() []int {
	switch {
	case w.Rows != nil:
		return []int{len(w.Rows), w.Shape[1]}
	case w.Conv1D:
		return []int{w.Shape[1], w.Shape[0]}
	}
	return w.Shape
}

// Len is the number of elements.
func (w *Weight) Len() int {
	n := 1
	for _, d := range w.Dims() {
		n *= d
	}
	return n
}

// Loader makes the parameters of one model, in order. The first error sticks; ask Err at the end.
type Loader struct {
	Device kernels.Device // nil: only plan, no parameter has memory
	Queue  kernels.Queue
	Source Source        // nil: draw all parameters at random
	Draw   bool          // draw what the source does not hold instead of failing
	DType  kernels.DType // of matrices (F32, BF16, I8) and tables (F32 or BF16)
	Tables kernels.DType // of tables, if not 0
	Seed   uint64        // of random parameters; each depends on the seed and its own name alone
	Prefix string        // of all names from here on; may change between calls
	Resize bool          // cut or extend tables whose first dimension differs (a vocabulary that grew)

	Weights []*Weight
	Notes   []string // what was resized, in words
	Grown   []string // names of tables with rows that no file holds
	err     error
}

// Err is the first failure.
func (l *Loader) Err() error { return l.err }

// Init says how a parameter begins when it is not read.
type Init struct {
	kind initKind
	std  float64
}

type initKind uint8

const (
	initConst initKind = iota
	initNormal
	initUniform // +-std
)

// Zeros, Ones, Normal and FanIn (PyTorch's Linear: uniform within 1/sqrt(in)) are beginnings.
var (
	Zeros = Init{}
	Ones  = Init{std: 1}
)

// Normal has mean 0.
func Normal(std float64) Init { return Init{initNormal, std} }

// FanIn is uniform within 1/sqrt(in).
func FanIn(in int) Init { return Init{initUniform, 1 / math.Sqrt(float64(max(in, 1)))} }

// drawnTogether is how many numbers one generator gives: what a parameter begins as does not depend on the machine.
const drawnTogether = 1 << 16

func (i Init) draw(values []float32, seed uint64, name string) {
	h := fnv.New64a()
	h.Write([]byte(name))
	var work sync.WaitGroup
	places := make(chan struct{}, runtime.GOMAXPROCS(0))
	for at := 0; at < len(values); at += drawnTogether {
		places <- struct{}{}
		work.Go(func() {
			i.fill(values[at:min(at+drawnTogether, len(values))], rand.New(rand.NewPCG(seed+uint64(at), h.Sum64())))
			<-places
		})
	}
	work.Wait()
}

func (i Init) fill(values []float32, rng *rand.Rand) {
	for j := range values {
		switch i.kind {
		case initConst:
			values[j] = float32(i.std)
		case initNormal:
			values[j] = float32(rng.NormFloat64() * i.std)
		case initUniform:
			values[j] = float32((2*rng.Float64() - 1) * i.std)
		}
	}
}

// Has says whether the source holds a parameter.
func (l *Loader) Has(name string) bool {
	name = l.Prefix + name
	if l.Source == nil {
		return false
	}
	_, _, ok := l.Source.Find(name)
	return ok
}

// Matrix is a linear weight [n,k].
func (l *Loader) Matrix(name string, n, k int, init Init) *kernels.Param {
	return l.param(name, l.DType, init, []int{n, k}, []int{n, k}, false)
}

// Conv1D is a linear weight [n,k] that files store [k,n].
func (l *Loader) Conv1D(name string, n, k int, init Init) *kernels.Param {
	return l.param(name, l.DType, init, []int{k, n}, []int{n, k}, true)
}

// Vector is a norm's weight, a bias or a gate: fp32.
func (l *Loader) Vector(name string, n int, init Init) *kernels.Param {
	return l.param(name, kernels.F32, init, []int{n}, []int{n}, false)
}

// Table is an embedding [n,k]. Int8 models keep it in fp32.
func (l *Loader) Table(name string, n, k int, init Init) *kernels.Param {
	return l.Shaped(name, []int{n, k}, []int{n, k}, init)
}

// Shaped is a table or a set of vectors [n,k] that files store in another shape of as many elements.
func (l *Loader) Shaped(name string, stored, dims []int, init Init) *kernels.Param {
	dtype := l.DType
	switch {
	case l.Tables != 0:
		dtype = l.Tables
	case dtype == kernels.I8:
		dtype = kernels.F32
	}
	return l.param(name, dtype, init, stored, dims, false)
}

// Quantized is the matrix of a table that was read before, as int8, for a tied output head.
func (l *Loader) Quantized(name string, n, k int) *kernels.Param {
	if l.err != nil || l.Device == nil {
		return &kernels.Param{Name: name}
	}
	name = l.Prefix + name
	notes, grown := l.Notes, l.Grown // what is to be said was said of the table
	values, err := l.values(name, []int{n, k}, Normal(0.02))
	l.Notes, l.Grown = notes, grown
	if err != nil {
		l.err = err
		return &kernels.Param{Name: name}
	}
	p, err := kernels.NewParam(l.Device, l.Queue, name, kernels.I8, values, n, k)
	if err != nil {
		l.err = err
		return &kernels.Param{Name: name}
	}
	return p
}

func (l *Loader) param(name string, dtype kernels.DType, init Init, stored, dims []int, conv1D bool) *kernels.Param {
	name = l.Prefix + name
	w := &Weight{Name: name, Shape: stored, Conv1D: conv1D}
	l.Weights = append(l.Weights, w)
	if l.err != nil || l.Device == nil {
		w.Param = &kernels.Param{Name: name}
		return w.Param
	}
	p, err := l.load(name, dtype, init, stored, dims, conv1D)
	if err != nil {
		l.err = err
		p = &kernels.Param{Name: name}
	}
	w.Param = p
	return p
}

func (l *Loader) load(name string, dtype kernels.DType, init Init, stored, dims []int, conv1D bool) (*kernels.Param, error) {
	if t, ok, err := l.asIs(name, dtype, stored); err != nil {
		return nil, err
	} else if ok && !conv1D {
		return kernels.NewParamBytes(l.Device, l.Queue, name, dtype, t.Data, dims...)
	}
	values, err := l.values(name, stored, init)
	if err != nil {
		return nil, err
	}
	if conv1D {
		values = Turn(values, stored[0], stored[1])
	}
	return kernels.NewParam(l.Device, l.Queue, name, dtype, values, dims...)
}

// asIs gives the tensor of a file if its bytes can be used as they are.
func (l *Loader) asIs(name string, dtype kernels.DType, stored []int) (weights.Tensor, bool, error) {
	if l.draws(name) {
		return weights.Tensor{}, false, nil
	}
	file, at, ok := l.Source.Find(name)
	if !ok {
		return weights.Tensor{}, false, missing(name, file, at)
	}
	kind, shape, _ := file.Info(at)
	same := kind == weights.F32 && dtype == kernels.F32 || kind == weights.BF16 && dtype == kernels.BF16
	if !same || l.resizes(shape, stored) {
		return weights.Tensor{}, false, nil
	}
	t, err := file.Want(at, stored...)
	return t, err == nil, err
}

// draws says whether a parameter begins at random.
func (l *Loader) draws(name string) bool {
	if l.Source == nil || !l.Draw {
		return l.Source == nil
	}
	_, _, ok := l.Source.Find(name)
	return !ok
}

func missing(name string, file *weights.File, at string) error {
	if file == nil {
		return fmt.Errorf("no file holds the parameter %q", name)
	}
	_, err := file.Want(at)
	if err == nil {
		err = fmt.Errorf("%s: no tensor for the parameter %q", file.Path, name)
	}
	return err
}

// resizes reports whether a table is to be cut or extended.
func (l *Loader) resizes(found, want []int) bool {
	return l.Resize && len(found) == 2 && len(want) == 2 && found[0] != want[0] && found[1] == want[1]
}

// values are the elements of a parameter in the shape that files have.
func (l *Loader) values(name string, stored []int, init Init) ([]float32, error) {
	n := 1
	for _, d := range stored {
		n *= d
	}
	if l.draws(name) {
		values := make([]float32, n)
		init.draw(values, l.Seed, name)
		return values, nil
	}
	file, at, ok := l.Source.Find(name)
	if !ok {
		return nil, missing(name, file, at)
	}
	want := stored
	_, shape, _ := file.Info(at)
	resize := l.resizes(shape, stored)
	if resize {
		want = shape
	}
	t, err := file.Want(at, want...)
	if err != nil {
		return nil, err
	}
	values, err := t.Float32()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file.Path, err)
	}
	if !resize {
		return values, nil
	}
	if len(values) >= n {
		l.Notes = append(l.Notes, fmt.Sprintf("%s: the first %d of %d rows are kept", at, stored[0], shape[0]))
		return values[:n], nil
	}
	grown := make([]float32, n)
	init.draw(grown[copy(grown, values):], l.Seed, name)
	l.Grown = append(l.Grown, name)
	l.Notes = append(l.Notes, fmt.Sprintf("%s: %d rows were added to the %d of the file, drawn at random", at, stored[0]-shape[0], shape[0]))
	return grown, nil
}

// Turn transposes a matrix [n,k].
func Turn(values []float32, n, k int) []float32 {
	out := make([]float32, len(values))
	for i, v := range values {
		out[i%k*n+i/k] = v
	}
	return out
}

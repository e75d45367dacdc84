package ptb

import (
	"encoding/binary"
	"regexp/syntax"
	"slices"
	"sync"
	"sync/atomic"
	"unicode/utf8"
)

// automaton runs several expressions over a text at once. Its states are sets of places in the expressions' programs;
// a state is made when it is first reached, and many goroutines may run one automaton.
type automaton struct {
	progs   []*syntax.Prog
	limit   rune    // the characters below it are told apart: ASCII, or the Basic Multilingual Plane
	classOf []uint8 // by character; those that no expression tells apart share a class
	samples []rune  // one character of every class

	mu      sync.Mutex
	byKey   map[string]*state
	seen    [][]uint32 // by expression and instruction: the last call of intern that came by
	calls   uint32     // of intern
	reading []uint32   // room for intern's, as the next two
	key     []byte
	places  []uint32 // for step's
	start   *state
	beyond  uint8 // the class of everything outside the Basic Multilingual Plane
}

// planeSize is how many characters the Basic Multilingual Plane has.
const planeSize = 0x10000

// state knows the first expression that has matched here, and where each class of characters leads.
type state struct {
	places []uint32 // expression<<16 | instruction, only those that read a character
	match  int      // index of the first expression that ends here, or -1
	next   []atomic.Pointer[state]
}

// dead is where nothing can match any more.
var dead = &state{match: -1}

func newAutomaton(exprs []string, limit rune) *automaton {
	a := &automaton{limit: limit, classOf: make([]uint8, limit), byKey: map[string]*state{}}
	for _, e := range exprs {
		re, err := syntax.Parse(e, syntax.Perl)
		if err != nil {
			panic("ptb: " + e + ": " + err.Error()) // the table is part of the program
		}
		prog, err := syntax.Compile(re.Simplify())
		if err != nil {
			panic("ptb: " + e + ": " + err.Error())
		}
		a.progs = append(a.progs, prog)
		a.seen = append(a.seen, make([]uint32, len(prog.Inst)))
	}
	a.classify()
	var first []uint32
	for i, p := range a.progs {
		first = append(first, uint32(i)<<16|uint32(p.Start))
	}
	a.start = a.intern(first)
	return a
}

// classify groups characters by the expressions' own ranges.
func (a *automaton) classify() {
	// Many instructions read the same set of characters.
	var sets []*syntax.Inst
	known := map[string]bool{}
	cut := map[rune]bool{0: true, a.limit: true}
	for _, p := range a.progs {
		for i := range p.Inst {
			in := &p.Inst[i]
			if in.Op != syntax.InstRune && in.Op != syntax.InstRune1 {
				continue
			}
			key := make([]byte, 0, 8+4*len(in.Rune))
			key = binary.AppendUvarint(key, uint64(in.Arg))
			for _, r := range in.Rune {
				key = binary.BigEndian.AppendUint32(key, uint32(r))
			}
			if known[string(key)] {
				continue
			}
			known[string(key)] = true
			sets = append(sets, in)
			for k, r := range in.Rune {
				switch {
				case len(in.Rune) == 1:
					cut[r], cut[r+1] = true, true
					if syntax.Flags(in.Arg)&syntax.FoldCase != 0 { // a letter and its other case
						cut[r^0x20], cut[r^0x20+1] = true, true
					}
				case k%2 == 0:
					cut[r] = true
				default:
					cut[r+1] = true
				}
			}
		}
	}
	var starts []rune
	for r := range cut {
		if r <= a.limit {
			starts = append(starts, r)
		}
	}
	slices.Sort(starts)
	// Intervals that behave alike in every set are one class.
	byBehaviour := map[string]uint8{}
	key := make([]byte, len(sets)/8+1)
	for i, r := range starts {
		clear(key)
		for k, in := range sets {
			if in.MatchRune(r) {
				key[k/8] |= 1 << (k % 8)
			}
		}
		class, known := byBehaviour[string(key)]
		if !known {
			class = uint8(len(a.samples))
			byBehaviour[string(key)] = class
			a.samples = append(a.samples, r)
		}
		if r == a.limit {
			a.beyond = class
			continue
		}
		for end := starts[i+1]; r < end; r++ {
			a.classOf[r] = class
		}
	}
	if len(a.samples) > 256 {
		panic("ptb: too many classes of characters for the table")
	}
}

// intern is the state of a set of places, after following everything that reads no character.
func (a *automaton) intern(places []uint32) *state {
	match := -1
	reading := a.reading[:0]
	a.calls++
	for len(places) > 0 {
		at := places[len(places)-1]
		places = places[:len(places)-1]
		expr := int(at >> 16)
		seen := &a.seen[expr][at&0xffff]
		if *seen == a.calls {
			continue
		}
		*seen = a.calls
		in := &a.progs[expr].Inst[at&0xffff]
		base := at &^ 0xffff
		switch in.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			places = append(places, base|in.Out, base|in.Arg)
		case syntax.InstCapture, syntax.InstNop:
			places = append(places, base|in.Out)
		case syntax.InstMatch:
			if match < 0 || expr < match {
				match = expr
			}
		case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
			reading = append(reading, at)
		}
	}
	if len(reading) == 0 && match < 0 {
		return dead
	}
	a.reading = reading
	slices.Sort(reading)
	a.key = binary.AppendVarint(a.key[:0], int64(match))
	for _, at := range reading {
		a.key = binary.BigEndian.AppendUint32(a.key, at)
	}
	if s := a.byKey[string(a.key)]; s != nil {
		return s
	}
	s := &state{places: slices.Clone(reading), match: match, next: make([]atomic.Pointer[state], len(a.samples))}
	a.byKey[string(a.key)] = s
	return s
}

// step is the state after one more character of a class.
func (a *automaton) step(s *state, class uint8) *state {
	if to := s.next[class].Load(); to != nil {
		return to
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.samples[class]
	places := a.places[:0]
	for _, at := range s.places {
		in := &a.progs[at>>16].Inst[at&0xffff]
		if in.Op == syntax.InstRuneAny || in.Op == syntax.InstRuneAnyNotNL && r != '\n' || in.MatchRune(r) {
			places = append(places, at&^0xffff|in.Out)
		}
	}
	to := a.intern(places)
	a.places = places
	s.next[class].Store(to)
	return to
}

// longest is the longest beginning of the text that an expression matches, and the first such expression; -1 for none. more is
// true when it was the end of the text that stopped the search, known is false when it was a character beyond the limit.
func (a *automaton) longest(text string) (expr, length int, more, known bool) {
	expr = -1
	s := a.start
	i := 0
	for i < len(text) && s != dead {
		var class uint8
		if c := text[i]; c < utf8.RuneSelf {
			class, i = a.classOf[c], i+1
		} else if a.limit == utf8.RuneSelf {
			return -1, 0, false, false
		} else {
			r, size := utf8.DecodeRuneInString(text[i:])
			i += size
			if class = a.beyond; r < a.limit {
				class = a.classOf[r]
			}
		}
		to := s.next[class].Load()
		if to == nil {
			to = a.step(s, class)
		}
		if s = to; s.match >= 0 {
			expr, length = s.match, i
		}
	}
	if s != dead {
		return expr, length, true, true
	}
	// Where ASCII cannot go on, other characters might.
	ascii := a.limit == utf8.RuneSelf
	return expr, length, ascii && i == len(text), !ascii || i == len(text) || text[i] < utf8.RuneSelf
}

// ends lists the lengths of all beginnings of the text that match.
func (a *automaton) ends(text string) []int {
	var out []int
	s := a.start
	for i, r := range text {
		class := a.beyond
		if r < a.limit {
			class = a.classOf[r]
		}
		if s = a.step(s, class); s == dead {
			break
		}
		if s.match >= 0 {
			out = append(out, i+utf8.RuneLen(r))
		}
	}
	return out
}

package tokenizer

// Character classes: letter (\p{L}), number (\p{N}), white space (\s), other. Reads Go's tables (Unicode 15.0) and the
// additions below.
//
// The references know newer Unicode: Hugging Face tokenizers 0.23.3 (Oniguruma) splits by Unicode 16, the Python package
// regex 2026.11 by Unicode 18. Both call the 25 characters of White_Space white (so not U+001C to U+001F, U+200B, U+FEFF).

import (
	"sync"
	"unicode"
)

type class uint8

const (
	classOther class = iota
	classLetter
	classNumber
	classSpace
)

// lettersOf16 and numbersOf16 were assigned by Unicode 15.1 and 16.
var lettersOf16 = []rune{
	0x1c89, 0x1c8a, 0xa7cb, 0xa7cd, 0xa7da, 0xa7dc, 0x105c0, 0x105f3, 0x10d4a, 0x10d65, 0x10d6f, 0x10d85, 0x10ec2, 0x10ec4,
	0x11380, 0x11389, 0x1138b, 0x1138b, 0x1138e, 0x1138e, 0x11390, 0x113b5, 0x113b7, 0x113b7, 0x113d1, 0x113d1, 0x113d3, 0x113d3,
	0x11bc0, 0x11be0, 0x13460, 0x143fa, 0x16100, 0x1611d, 0x16d40, 0x16d6c, 0x18cff, 0x18cff, 0x1e5d0, 0x1e5ed, 0x1e5f0, 0x1e5f0,
	0x2ebf0, 0x2ee5d,
}

var numbersOf16 = []rune{
	0x10d40, 0x10d49, 0x116d0, 0x116e3, 0x11bf0, 0x11bf9, 0x16130, 0x16139, 0x16d70, 0x16d79, 0x1ccf0, 0x1ccf9, 0x1e5f1, 0x1e5fa,
}

// lettersOf18 and numbersOf18 were assigned by Unicode 17 and 18.
var lettersOf18 = []rune{
	0x558, 0x558, 0x58b, 0x58c, 0x88f, 0x88f, 0xc5c, 0xc5c, 0xcdc, 0xcdc, 0x208f, 0x208f, 0x209d, 0x209f, 0xa7ce, 0xa7cf,
	0xa7d2, 0xa7d2, 0xa7d4, 0xa7d4, 0xa7dd, 0xa7dd, 0xa7e2, 0xa7e2, 0xa7f1, 0xa7f1, 0xab6c, 0xab6d, 0x107bb, 0x107bf, 0x10940, 0x10959,
	0x10ec5, 0x10ec7, 0x10ed9, 0x10eee, 0x11b0a, 0x11b0a, 0x11db0, 0x11ddb, 0x11df1, 0x11df1, 0x16ea0, 0x16eb8, 0x16ebb, 0x16ed3,
	0x16ff2, 0x16ff3, 0x187f8, 0x187ff, 0x18cd6, 0x18cda, 0x18d09, 0x18d20, 0x18d80, 0x18df2, 0x18e00, 0x19191, 0x191a0, 0x191d2,
	0x1b123, 0x1b128, 0x1b168, 0x1b168, 0x1d6a6, 0x1d6a6, 0x1df1f, 0x1df24, 0x1df2b, 0x1df81, 0x1df90, 0x1df96, 0x1dfcd, 0x1dfff,
	0x1e6c0, 0x1e6de, 0x1e6e0, 0x1e6e2, 0x1e6e4, 0x1e6e5, 0x1e6e7, 0x1e6ed, 0x1e6f0, 0x1e6f4, 0x1e6fe, 0x1e6ff, 0x2b73a, 0x2b73f,
	0x2b81e, 0x2b81e, 0x2cea2, 0x2cead, 0x323b0, 0x33479, 0x3d000, 0x3fc3f,
}

var numbersOf18 = []rune{0x11de0, 0x11de9, 0x1246f, 0x1246f, 0x12475, 0x1247f, 0x12550, 0x12686, 0x16ff4, 0x16ff6}

// classTable holds the class of every character of the planes 0 to 3; the rest is classOther.
type classTable [0x40000]class

func (t *classTable) of(r rune) class {
	if uint32(r) < uint32(len(t)) {
		return t[r]
	}
	return classOther
}

func (t *classTable) fill(table *unicode.RangeTable, c class) {
	put := func(lo, hi, stride rune) {
		for r := lo; r <= hi && int(r) < len(t); r += stride {
			t[r] = c
		}
	}
	for _, r := range table.R16 {
		put(rune(r.Lo), rune(r.Hi), rune(r.Stride))
	}
	for _, r := range table.R32 {
		put(rune(r.Lo), rune(r.Hi), rune(r.Stride))
	}
}

func (t *classTable) pairs(ranges []rune, c class) {
	for i := 0; i < len(ranges); i += 2 {
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			t[r] = c
		}
	}
}

func newClasses() *classTable {
	t := new(classTable)
	t.fill(unicode.L, classLetter)
	t.fill(unicode.N, classNumber)
	t.fill(unicode.White_Space, classSpace)
	t.pairs(lettersOf16, classLetter)
	t.pairs(numbersOf16, classNumber)
	return t
}

// classes16 is what Hugging Face tokenizers see, classes18 what CLIP's pattern sees in Python's regex.
var (
	classes16 = sync.OnceValue(newClasses)
	classes18 = sync.OnceValue(func() *classTable {
		t := newClasses()
		t.pairs(lettersOf18, classLetter)
		t.pairs(numbersOf18, classNumber)
		t[0x345] = classSpace // where case does not count it is an iota, and then no part of CLIP's pattern takes it
		return t
	})
)

// pythonSpace is str.isspace: White_Space and the four separators U+001C to U+001F.
func pythonSpace(r rune) bool { return unicode.Is(unicode.White_Space, r) || r >= 0x1c && r <= 0x1f }

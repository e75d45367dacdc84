package tokenizer

// GPT-2's pre-tokenizer as a scanner:
//
//	's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+

import "unicode/utf8"

// asciiClass is the class of the first 128 characters.
var asciiClass = func() (t [128]class) {
	for c := range t {
		switch b := byte(c); {
		case b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z':
			t[c] = classLetter
		case b >= '0' && b <= '9':
			t[c] = classNumber
		case b == ' ' || b >= 9 && b <= 13:
			t[c] = classSpace
		}
	}
	return t
}()

// scanner walks over text that is UTF-8 (bytes that are not count as other characters, one by one).
type scanner struct {
	text  []byte
	table *classTable
}

// at gives class and width of the character at i.
func (s *scanner) at(i int) (class, int) {
	c := s.text[i]
	if c < utf8.RuneSelf {
		return asciiClass[c], 1
	}
	r, n := utf8.DecodeRune(s.text[i:])
	if r == utf8.RuneError && n <= 1 {
		return classOther, 1
	}
	return s.table.of(r), n
}

// run gives the end of the run of class c that begins at i.
func (s *scanner) run(i int, c class) int {
	for i < len(s.text) {
		if b := s.text[i]; b < utf8.RuneSelf {
			if asciiClass[b] != c {
				return i
			}
			i++
			continue
		}
		k, n := s.at(i)
		if k != c {
			return i
		}
		i += n
	}
	return i
}

// contraction gives the length of 's, 't, 're, 've, 'm, 'll, 'd at i, or 0.
func contraction(t []byte, i int) int {
	if i+1 >= len(t) || t[i] != '\'' {
		return 0
	}
	switch t[i+1] {
	case 's', 't', 'm', 'd':
		return 2
	case 'r', 'v':
		if i+2 < len(t) && t[i+2] == 'e' {
			return 3
		}
	case 'l':
		if i+2 < len(t) && t[i+2] == 'l' {
			return 3
		}
	}
	return 0
}

// next gives the end of the word that begins at i < len(text).
func (s *scanner) next(i int) int {
	if n := contraction(s.text, i); n > 0 {
		return i + n
	}
	c, n := s.at(i)
	if c != classSpace {
		return s.run(i+n, c)
	}
	if s.text[i] == ' ' && i+1 < len(s.text) {
		if c, n := s.at(i + 1); c != classSpace {
			return s.run(i+1+n, c)
		}
	}
	// White space: all of it at the end of the text; otherwise its last character is left to what follows, unless it is
	// the only one.
	end, last := i+n, i
	for end < len(s.text) {
		c, n := s.at(end)
		if c != classSpace {
			if last > i {
				return last
			}
			return end
		}
		last = end
		end += n
	}
	return end
}

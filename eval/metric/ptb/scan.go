package ptb

import (
	"strings"
	"sync"
	"unicode/utf8"
)

// scanner is the compiled table.
type scanner struct {
	rules []rule
	all   *automaton
	parts []func() [2]*automaton // of rules with something behind: the token alone, and what stands behind it alone
}

var theScanner = sync.OnceValue(func() *scanner {
	s := &scanner{rules: rules()}
	var exprs []string
	for _, r := range s.rules {
		expr := "(?:" + r.token + ")"
		if r.next != "" {
			expr += "(?:" + r.next + ")"
		}
		exprs = append(exprs, expr)
		s.parts = append(s.parts, sync.OnceValue(func() [2]*automaton {
			return [2]*automaton{newAutomaton([]string{r.token}), newAutomaton([]string{r.next})}
		}))
	}
	s.all = newAutomaton(exprs)
	return s
})

// next reads one token at the beginning of the text: what is printed for it, how many bytes it took, and what it was.
// Characters that no rule knows are skipped.
func (s *scanner) next(text string) (token string, size int, do *action) {
	which, seen := s.all.longest(text)
	if which < 0 {
		_, size = utf8.DecodeRuneInString(text)
		return "", size, &skip
	}
	r := &s.rules[which]
	size = seen
	if r.next != "" {
		size = s.headOf(which, text[:seen])
	}
	token = text[:size]
	do = &r.do
	switch {
	case do.leave > 0: // characters of these words are single bytes
		size -= do.leave
		return text[:size], size, do
	case do.again:
		return token, size - 1, do
	case do.acronym:
		if len(token) == 2 {
			return token[:1], 1, do
		}
		return token, size - 1, do
	case do.form != nil:
		return do.form(token), size, do
	}
	return token, size, do
}

// headOf is the length of the token when rule and what follows it match all of seen: the longest that leaves a rest
// which may follow. White space at its end belongs to what follows.
func (s *scanner) headOf(which int, seen string) int {
	parts := s.parts[which]()
	ends := parts[0].ends(seen)
	for i := len(ends) - 1; i >= 0; i-- {
		rest := seen[ends[i]:]
		for _, n := range parts[1].ends(rest) {
			if n == len(rest) {
				return ends[i]
			}
		}
	}
	return len(seen)
}

// lineBreaks are what the reference takes for the end of a line; inside a caption they are spaces.
var lineBreaks = strings.NewReplacer("\r", " ", "\n", " ", "\v", " ", "\f", " ", "\u2028", " ", "\u2029", " ")

// mayBreak reports whether there may be line breaks in s.
func mayBreak(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0xE2 { // U+2028 and U+2029 begin with it
			return true
		}
	}
	return false
}

// Lines tokenises captions as one text with a caption a line, as pycocoevalcap does, and returns for each the lower-case
// tokens with a space between them. What follows a line can matter: "vitamin c." keeps its full stop unless the next
// line begins with one of the words that open sentences. Line breaks inside a caption count as spaces.
func Lines(captions []string) []string { return tokenise(captions, nil) }

// Captions is Lines without the tokens that caption scorers do not count.
func Captions(captions []string) []string { return tokenise(captions, ignored) }

// ignored are the tokens that pycocoevalcap removes. Its list has brackets too, but in capitals, which no token is.
func ignored(token string) bool {
	if len(token) > 3 {
		return false
	}
	switch token {
	case "''", "'", "``", "`", ".", "?", "!", ",", ":", "-", "--", "...", ";":
		return true
	}
	return false
}

// chunk is how many captions one goroutine takes at a time.
const chunk = 512

func tokenise(captions []string, drop func(string) bool) []string {
	out := make([]string, len(captions))
	// The text of all captions, and where each begins.
	var b strings.Builder
	starts := make([]int, len(captions)+1)
	for i, c := range captions {
		starts[i] = b.Len()
		if mayBreak(c) {
			c = lineBreaks.Replace(c)
		}
		b.WriteString(c)
		if i < len(captions)-1 {
			b.WriteByte('\n')
		}
	}
	starts[len(captions)] = b.Len()
	text := b.String()

	var wg sync.WaitGroup
	spilled := make([]bool, (len(captions)+chunk-1)/chunk)
	for k := range spilled {
		first, last := k*chunk, min((k+1)*chunk, len(captions))
		wg.Add(1)
		go func() {
			defer wg.Done()
			end := scanLines(text, starts[first], starts[last], drop, out[first:last])
			spilled[k] = end != starts[last]
		}()
	}
	wg.Wait()
	for _, s := range spilled {
		if s { // a token runs over a caption's end (a quoted attribute may): one after the other, then
			scanLines(text, 0, len(text), drop, out)
			break
		}
	}
	return out
}

// plainWord is a token that needs no automaton, as most do not: ASCII letters before a space or the end of a line. No rule sees
// past that or takes less, but for the words that fall in two. "" when there is none at the beginning of the text.
func plainWord(text string) string {
	for i := range len(text) {
		switch c := text[i]; {
		case 'a' <= c|0x20 && c|0x20 <= 'z':
		case c != ' ' && c != '\n' || i == 5 && fallsApart(text[:5]) || i == 6 && fallsApart(text[:6]):
			return ""
		default:
			return text[:i]
		}
	}
	return ""
}

func fallsApart(word string) bool {
	switch strings.ToLower(word) {
	case "cannot", "gimme", "gonna", "gotta", "lemme", "wanna":
		return true
	}
	return false
}

// scanLines reads tokens from one place of the text to another and writes a line for every line break; it returns where
// the last token ended.
func scanLines(text string, from, to int, drop func(string) bool, lines []string) int {
	s := theScanner()
	buf := make([]byte, 0, to-from) // of all lines
	ends := make([]int, 0, len(lines))
	n, at, begin := 0, from, 0
	flush := func() {
		if n < len(lines) {
			ends = append(ends, len(buf))
		}
		n++
		begin = len(buf)
	}
	add := func(token string) {
		if drop != nil && drop(token) {
			return
		}
		if len(buf) > begin {
			buf = append(buf, ' ')
		}
		buf = appendLower(buf, token)
	}
	for at < to {
		if text[at] == ' ' && at+1 < to && text[at+1] > ' ' && text[at+1] < utf8.RuneSelf { // a single space, which nearly all are
			at++
			continue
		}
		if word := plainWord(text[at:]); word != "" {
			add(word)
			at += len(word)
			continue
		}
		token, size, do := s.next(text[at:])
		at += size
		switch {
		case do.newline:
			flush()
		case do.skip:
		case strings.Contains(token, "\n"): // printed as it is, it ends lines as well
			parts := strings.Split(lower(token), "\n")
			for _, part := range parts[:len(parts)-1] {
				add(part)
				flush()
			}
			add(parts[len(parts)-1])
		default:
			add(token)
		}
	}
	if len(buf) > begin {
		flush()
	}
	all, start := string(buf), 0
	for i := range lines {
		lines[i] = ""
		if i < len(ends) {
			lines[i] = all[start:ends[i]]
			start = ends[i]
		}
	}
	return at
}

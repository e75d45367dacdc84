package tokenizer

// Does text look like mojibake? The heuristic of ftfy 6.3: some four hundred characters in sixteen categories, and
// neighbourhoods of them that people do not write.

import (
	"sync"
	"unicode"
	"unicode/utf8"
)

// category is a set of categories.
type category uint32

const (
	catCommon category = 1 << iota
	catC1
	catBad
	catLaw
	catCurrency
	catStart // opening punctuation
	catEnd   // closing punctuation
	catNumeric
	catFace // letters of emoticons
	catUpperAccented
	catLowerAccented
	catUpper
	catLower
	catBox
	// computed, not listed
	catAZ // A to Z
	cataz // a to z
	catWhite
	catWord
	catBlank   // the space itself
	catNotAZaz // anything but an unaccented Latin letter
	catInLine  // anything but a line feed
)

// listed writes the categories as characters and ranges of them.
var listed = []struct {
	cat   category
	chars string
}{
	{catCommon, "\u00a0\u00ad´·–—―’…"},
	{catC1, "\u0080-\u009f"},
	{catBad, "¤¦¨ª¬¯¸ºƒˆˇ˘˛˜†‡‰⌐◊\ufffd"},
	{catLaw, "§¶"},
	{catCurrency, "¢£¥₧€"},
	{catStart, "¡©«¿΄΅‘‚“„•‹\uf8ff"},
	{catEnd, "®»˝”›™"},
	{catNumeric, "±²³µ¹¼½¾×÷⁄№∂∆∏∑√∞∩∫≈≠≡≤≥"},
	{catFace, "°Ò-ÖÙ-Üò-öø-üŌŐŪŲ"},
	{catUpperAccented, "À-ÑØÜÝĀĂĄĆČĎĐĒĖĘĚĞĢĪİĶĹĻĽŁŃŅŇŒŘŚŞŠŢŤŮŰŸŹŻŽҐ"},
	{catLowerAccented, "ß-ñüāăąćčďđēėęěğģīįķĺļľłœŕśşšťźżžґﬁﬂ"},
	{catUpper, "ÞΆΈΉΊΌΎΏΑ-ΫЁ-Я"},
	{catLower, "ά-ωа-џ"},
	{catBox, "│┌┐┘├┤┬┼═-╬▀▄█▌▐-▓"},
}

// place is what one character of a neighbourhood may be: of one of the categories, or one of the characters.
type place struct {
	cats  category
	chars string
}

const (
	accented = catLowerAccented | catUpperAccented
	symbols  = catBox | catStart | catEnd | catCurrency | catNumeric | catLaw
)

// neighbourhoods are the sequences of places that are bad, wherever they stand in a text.
var neighbourhoods = [][]place{
	{{catC1, ""}},
	{{catBad | accented | symbols, ""}, {catBad, ""}},
	{{catAZ | cataz, ""}, {catLower | catUpper, ""}, {catBad, ""}},
	{{catBad, ""}, {accented | symbols, ""}},
	{{catLowerAccented | catLower | catBox | catEnd | catCurrency | catNumeric, ""}, {catUpperAccented, ""}},
	{{catBox | catEnd | catCurrency | catNumeric, ""}, {catLowerAccented, ""}},
	{{catLowerAccented | catBox | catEnd, ""}, {catCurrency, ""}},
	{{catWhite, ""}, {catUpperAccented, ""}, {catCurrency, ""}},
	{{catUpperAccented | catBox, ""}, {catNumeric | catLaw, ""}},
	{{accented | catBox | catCurrency | catEnd, ""}, {catStart, ""}, {catNumeric, ""}},
	{{accented | catCurrency | catNumeric | catBox | catLaw, ""}, {catEnd, ""}, {catStart, ""}},
	{{catCurrency | catNumeric | catBox, ""}, {catStart, ""}},
	{{cataz, ""}, {catUpperAccented, ""}, {catStart | catCurrency, ""}},
	{{catBox, ""}, {catFace, ""}},
	{{accented | catCurrency | catNumeric | catStart | catEnd | catLaw, ""}, {catBox, ""}},
	{{catBox, ""}, {catEnd, ""}},
	{{accented, ""}, {catStart | catEnd, ""}, {catWord, ""}},
	{{0, "Œœ"}, {catNotAZaz, ""}},      // œ before something else than a plain letter
	{{catUpperAccented, ""}, {0, "°"}}, // degrees of a capital
	// Windows-1252
	{{0, "ÂÃÎÐ"}, {catStart | catEnd, "€œŠš¢£Ÿž\u00a0\u00ad®©°·»–—´"}},
	{{0, "×"}, {0, "²³"}},
	{{0, "ØÙ"}, {arabic, "ŸŠ®°µ»"}, {0, "ØÙ"}, {arabic, "ŸŠ®°µ»"}},
	{{0, "à"}, {0, "²µ¹¼½¾"}},
	// MacRoman
	{{0, "√"}, {0, "±∂†≠®™´≤≥¥µø"}},
	{{0, "≈"}, {0, "°¢"}},
	{{0, "‚"}, {0, "Ä"}, {0, "ìîïòôúùû†°¢π"}},
	{{0, "‚"}, {0, "âó"}, {0, "àä°ê"}},
	// Windows-1251
	{{0, "в"}, {0, "Ђ"}},
	{{0, "ВГРС"}, {catC1 | catBad | catStart | catEnd | catCurrency, "°µ"}, {0, "ВГРС"}},
	{{0, "Г"}, {0, "ў"}, {0, "В"}, {0, "Ђ"}, {0, "В"}, {catInLine, ""}, {catAZ | cataz | catBlank, ""}},
	// à, á, no-break space
	{{0, "Ã"}, {0, "\u00a0¡"}},
	{{cataz, ""}, {0, "ÃÂ"}, {catBlank, ""}},
	{{cataz, ""}, {catWhite, ""}, {0, "ÃÂ"}, {catBlank, ""}},
	{{cataz | catEnd, ".,?!"}, {0, "Â"}, {catStart | catEnd | catBlank, ""}},
	// Windows-1253, 1257
	{{0, "β"}, {0, "€"}, {0, "™\u00a0Ά\u00ad®°"}},
	{{0, "ΒΓΞΟ"}, {catC1 | catBad | catStart | catEnd | catCurrency, "°"}, {0, "ΒΓΞΟ"}},
	{{0, "ā"}, {0, "€"}},
}

const arabic = catCommon | catCurrency | catBad | catNumeric | catStart

// badTable holds the categories of characters and the characters of places as sets.
type badTable struct {
	low  [0x2600]category
	high map[rune]category
	// sets[i][j] holds the characters of the j-th place of the i-th neighbourhood
	sets [][]map[rune]bool
}

var badness = sync.OnceValue(func() *badTable {
	t := &badTable{high: map[rune]category{}}
	put := func(r rune, c category) {
		if int(r) < len(t.low) {
			t.low[r] |= c
		} else {
			t.high[r] |= c
		}
	}
	for _, l := range listed {
		chars := []rune(l.chars)
		for i := 0; i < len(chars); i++ {
			put(chars[i], l.cat)
			if i+2 < len(chars) && chars[i+1] == '-' {
				for r := chars[i]; r <= chars[i+2]; r++ {
					put(r, l.cat)
				}
				i += 2
			}
		}
	}
	for _, n := range neighbourhoods {
		var sets []map[rune]bool
		for _, p := range n {
			set := map[rune]bool{}
			for _, r := range p.chars {
				set[r] = true
			}
			sets = append(sets, set)
		}
		t.sets = append(t.sets, sets)
	}
	return t
})

func (t *badTable) of(r rune) category {
	var c category
	if int(r) < len(t.low) {
		c = t.low[r]
	} else {
		c = t.high[r]
	}
	switch {
	case r >= 'a' && r <= 'z':
		return c | cataz | catWord | catInLine
	case r >= 'A' && r <= 'Z':
		return c | catAZ | catWord | catInLine
	case r == ' ':
		c |= catBlank
	}
	c |= catNotAZaz
	if r != '\n' {
		c |= catInLine
	}
	if pythonSpace(r) {
		c |= catWhite
	}
	if r == '_' || unicode.IsLetter(r) || unicode.Is(unicode.N, r) {
		c |= catWord
	}
	return c
}

// looksBad says whether some neighbourhood of text is bad.
func looksBad(text []rune) bool {
	t := badness()
	cats := make([]category, len(text))
	for i, r := range text {
		cats[i] = t.of(r)
	}
	if len(text) > 1 && (text[0] == 'Ã' || text[0] == 'Â') && text[1] == ' ' {
		return true
	}
	foreign := 0 // the next character that is not ASCII, at or after i
	for i := range text {
		for foreign < len(text) && (foreign < i || text[foreign] < utf8.RuneSelf) {
			foreign++
		}
		if foreign-i > 2 {
			continue // every neighbourhood has a character outside ASCII among its first three
		}
		for n, places := range neighbourhoods {
			if i+len(places) > len(text) {
				continue
			}
			matched := true
			for j, p := range places {
				if cats[i+j]&p.cats == 0 && !t.sets[n][j][text[i+j]] {
					matched = false
					break
				}
			}
			if matched {
				return true
			}
		}
	}
	return false
}

package ptb

import (
	"unicode"
	"unicode/utf8"
)

// vocabulary holds the expressions that rules share. Words in it are matched in any case, except where the first letter
// stands in brackets: those are common words too, and count as abbreviations in capitals only.
type vocabulary struct {
	letter, digitOnly, digit, upper, wordLetter        string
	space, newline, blank                              string
	apostrophe, anyApostrophe, quote, quotes, clitic   string
	not, beforeNot, word, apostropheWord               string
	tag, amp, fullURL, likelyURL, email, fileName      string
	number, fraction, phone, slashed, special          string
	acronym, opener, beforeNumber                      string
	beforeLower, beforeUpper                           string
	inner, hyphenated, compound, joined, easternSmiley string
	symbol                                             string
}

// Abbreviations that are followed by lower case within a sentence; before a capital a sentence has ended.
const (
	months    = `Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec`
	days      = `Mon Tue Tues Wed Thu Thurs Fri`
	states    = `Ala Ariz [A]z [A]rk Calif Colo Conn Ct Dak [D]el Fla Ga [I]ll Ind Kans? Ky [L]a [M]ass Md Mich Minn [M]iss Mo Mont Neb Nev Okla [O]re [P]a Penn Tenn [T]ex Va Vt [W]ash Wisc? Wyo`
	companies = `Assn Bancorp Bhd Corp Cos? Inc Intl Ltd Plc Pp?t[ye]s? Rt Sys Univ`
	lowerRest = `al Bldg Blvd Bros Ed\.D Esq est etc ext Jr Ph\.D Rd seq sq Sr tel`
)

// Abbreviations that are followed by a capital within a sentence.
const (
	titles    = `Adj Adm Adv Assoc Asst Attys? Ave Brig Capt Co?mdr Col Cpl Det Drs? Ens Ft Gen Govs? Hon Insp Lieut Lt Maj Messrs [M]iss Mlle Mme Mr Mrs Ms Msgr Mt Pfc Pres Profs? Pvt Reps? Rev Sens? Sfc Sgt Spc Ste? Supts?`
	upperRest = `a\.k\.a Alex cf Cie Dept Elec Invt Jos M[ft]g Natl Ph TREAS vs Wm`
)

// Words that open a sentence: an acronym before one of them ends the sentence before.
const openers = `[A] [A]bout [A]ccording [A]dditionally [A]fter [A]n [A]s [A]t [B]ut [E]arlier [H]e [H]er [H]ere [H]owever [I]f [I]n [I]t [L]ast [M]any [M]ore [M]r\. [M]s\. [N]ow [O]nce [O]ne [O]ther [O]ur [S]he [S]ince [S]o [S]ome [S]uch [T]hat [T]he [T]heir [T]hen [T]here [T]hese [T]hey [T]his [W]e [W]hat [W]hen [W]hile [Y]et [Y]ou`

const fileEndings = `bat bmp c class cgi cpp dll doc docx exe gif gz h htm html jar java jpeg jpg mov mp3 pdf php pl png ppt ps py sql tar txt wav x xml zip`

func newVocabulary(limit rune) vocabulary {
	letters, digits, marks, upper := "A-Za-z", "0-9", "", "A-Z"
	if limit > utf8.RuneSelf {
		letters = planeOf(unicode.Letter).set(newerLetters, false).set(formerLetters, true).ranges()
		digits = planeOf(unicode.Digit).set(newerDigits, false).ranges()
		marks = new(plane).set(wordMarks, true).ranges()
		upper = planeOf(unicode.Upper, unicode.Other_Uppercase).ranges()
	}
	var c vocabulary
	c.letter, c.digitOnly, c.upper = "["+letters+"]", "["+digits+"]", "["+upper+"]"
	c.digit = "[" + digits + `\x{7C0}-\x{7C9}]`
	entity := `&[aeiouAEIOU]` + anyCase(`(?:acute|grave|uml)`)
	entity += ";"
	c.wordLetter = "(?:[" + letters + marks + "]|" + entity + ")"
	letterOrDigit := "(?:[" + letters + marks + digits + `\x{7C0}-\x{7C9}]|` + entity + ")"

	const space = ` \t\x{A0}\x{2000}-\x{200A}\x{3000}`
	c.space = "[" + space + "]"
	c.newline = `(?:\r|\r?\n|[\x{2028}\x{2029}\x{0B}\x{0C}\x{85}])`
	c.blank = "(?:" + c.space + "|" + c.newline + ")"

	c.apostrophe = "(?:['\\x{92}\\x{2019}]|" + anyCase("&apos;") + ")"
	c.anyApostrophe = "(?:" + c.apostrophe + "|[`\\x{91}\\x{2018}\\x{201B}])"
	c.quote = `(?:"|` + anyCase(`&quot;`) + `)`
	c.quotes = c.apostrophe + "|''|[`\\x{2018}-\\x{201F}\\x{91}-\\x{94}\\x{2039}\\x{203A}\\x{AB}\\x{BB}]{1,2}"
	c.clitic = c.apostrophe + anyCase(`(?:[msdMSD]|re|ve|ll)`)
	c.not = anyCase(`n`) + c.anyApostrophe + anyCase(`t`)
	c.beforeNot = `[A-Za-z\x{AD}]*[A-MO-Za-mo-z]\x{AD}*`
	c.word = c.wordLetter + letterOrDigit + `*(?:[.!?]` + c.wordLetter + letterOrDigit + `*)*`
	c.apostropheWord = join(
		c.apostrophe+anyCase(`n`)+c.apostrophe+`?`,
		`[lLdDjJ]`+c.apostrophe,
		anyCase(`(?:dunkin|somethin|ol)`)+c.apostrophe,
		c.apostrophe+anyCase(`(?:em|till?|cause|[2-9]0s)`),
		`[A-HJ-XZn]`+c.anyApostrophe+c.letter+`{2,}`,
		c.letter+`+[aeiouyAEIOUY]`+c.anyApostrophe+`[aeiouA-Z]`+c.letter+`*`,
		anyCase(`cont'd\.?|'twas|nor'easter|c'mon|e'er|s'mores|ev'ry|li'l|nat'l`),
		anyCase(`o`)+c.anyApostrophe+anyCase(`o`),
	)

	name := `[A-Za-z][A-Za-z0-9_:.\-]*`
	c.tag = `(?:<(?:[!?][A-Za-z\-][^>\r\n]*|` + name + `(?: +(?:` + name + `|` + name + ` *= *(?:'[^']*'|"[^"]*")))* */?|/` + name + `) *>)`
	c.amp = anyCase(`&amp;`)
	c.fullURL = anyCase(`https?://`) + `[^ \t\n\f\r"<>|(){}]+[^ \t\n\f\r"<>|.!?(){},\-]`
	c.likelyURL = `(?:` + anyCase(`www\.`) + `(?:[^ \t\n\f\r"<>|.!?(){},]+\.)+[a-zA-Z]{2,4}|` +
		"(?:[^ \\t\\n\\f\\r\"`'<>|.!?(){},-_$]+\\.)+" + anyCase(`(?:com|net|org|edu)`) + `)` +
		`(?:/[^ \t\n\f\r"<>|()]+[^ \t\n\f\r"<>|.!?(){},\-])?`
	c.email = `(?:` + anyCase(`&lt;`) + `|<)?[a-zA-Z0-9][^ \t\n\f\r"<>|()\x{A0}{}]*@(?:[^ \t\n\f\r"<>|(){}.\x{A0}]+\.)*[^ \t\n\f\r"<>|(){}.\x{A0}]+(?:` + anyCase(`&gt;`) + `|>)?`
	c.fileName = letterOrDigit + `+(?:\.` + letterOrDigit + `+)*\.` + anyCase(oneOf(fileEndings))

	c.number = `[-+]?(?:` + c.digit + `+|` + c.digit + `*(?:[.:,\x{AD}\x{66B}\x{66C}]` + c.digit + `+)+)`
	c.fraction = `(?:` + c.digit + `{1,4}[- \x{A0}])?` + c.digit + `{1,4}(?:\\?/|\x{2044})` + c.digit + `{1,4}`
	c.phone = `(?:\([0-9]{2,3}\)[ \x{A0}]?|(?:\+\+?)?(?:[0-9]{2,4}[- \x{A0}])?[0-9]{2,4}[- \x{A0}])[0-9]{3,4}[- \x{A0}]?[0-9]{3,5}` +
		`|(?:(?:\+\+?)?[0-9]{2,4}\.)?[0-9]{2,4}\.[0-9]{3,4}\.[0-9]{3,5}`
	c.slashed = `[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}(?:\\?/[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}){1,2}`
	amps := `(?:&|` + c.amp + `)`
	c.special = join(anyCase(`-(?:rrb|lrb|rcb|lcb|rsb|lsb)-|c\.d\.s|pro-|anti-`),
		anyCase(`s`)+amps+anyCase(`p-500`), anyCase(`s`)+amps+anyCase(`ls`),
		anyCase(`cap`)+c.apostrophe+anyCase(`n`), anyCase(`c`)+c.apostrophe+anyCase(`est`))

	nations := anyCase(`(?:Canada|Sino|Korean|EU|Japan|non)-U\.S|U\.S\.-(?:U\.K|U\.S\.S\.R)`)
	c.acronym = `(?:[A-Za-z](?:\.[A-Za-z])*|` + nations + `)`
	dotted := `(?:[A-Za-z](?:\.[A-Za-z])+|` + nations + `)`
	c.opener = `(?:` + anyCase(oneOf(openers)) + `|` + c.tag + `)`
	c.beforeNumber = anyCase(oneOf(`art bldg ca figs? nos? op pp prop`))
	c.beforeLower = anyCase(oneOf(months, days, states, companies, lowerRest))
	c.beforeUpper = `(?:` + anyCase(oneOf(titles, upperRest)) + `|` + c.acronym + `)`

	c.inner = `[,;:\x{3001}]`
	c.hyphenated = `[A-Za-z0-9][A-Za-z0-9.,\x{AD}]*(?:-(?:[A-Za-z0-9\x{AD}]+|` + dotted + `\.))+`
	plainPart := "[" + letters + digits + "]"
	part := `(?:[dDoOlL]` + c.anyApostrophe + plainPart + `)?` + plainPart + `+`
	c.compound = part + `(?:[-_\x{58A}\x{2010}\x{2011}]` + part + `)*`
	c.joined = `[A-Z]+(?:(?:[+&]|` + c.amp + `)[A-Z]+)+`
	c.easternSmiley = join(
		`[\^x=~<>]\.\[\^[xX]=[^<]*<>\]`,
		`[-^x=~<>']_[-^x=~<>']`,
		`\([-^x=~<>'][_.]?[-^x=~<>']\)`,
		"\\([\\^x=~<>']-[\\^x=~<>'`]\\)",
	)
	c.symbol = `[+%&~^|\\\x{A6}\x{A7}\x{A8}\x{A9}\x{AC}\x{AE}\x{AF}\x{B0}-\x{B3}\x{B4}-\x{BA}\x{D7}\x{F7}\x{387}\x{5BE}\x{5C0}\x{5C3}\x{5C6}` +
		`\x{5F3}\x{5F4}\x{600}-\x{603}\x{606}-\x{60A}\x{60C}\x{614}\x{61B}\x{61E}\x{66A}\x{66D}\x{703}-\x{70D}\x{7F6}-\x{7F8}` +
		`\x{964}\x{965}\x{E4F}\x{1FBD}\x{2016}\x{2017}\x{2020}-\x{2023}\x{2030}-\x{2038}\x{203B}\x{203E}-\x{2042}\x{2044}` +
		`\x{207A}-\x{207F}\x{208A}-\x{208E}\x{2100}-\x{214F}\x{2190}-\x{2BFF}\x{3012}\x{30FB}\x{FF01}-\x{FF0F}` +
		`\x{FF1A}-\x{FF20}\x{FF3B}-\x{FF40}\x{FF5B}-\x{FF65}]`
	return c
}

// join is the alternatives of several expressions.
func join(exprs ...string) string {
	out := "(?:"
	for i, e := range exprs {
		if i > 0 {
			out += "|"
		}
		out += e
	}
	return out + ")"
}

package ptb

import "strings"

// rule is one kind of token.
type rule struct {
	token string // what the token is
	next  string // what must stand behind it, "" for nothing
	do    action
}

// action is what becomes of the text of a token.
type action struct {
	skip    bool                // no token: white space
	newline bool                // the end of a line
	form    func(string) string // what is printed for it; nil: the text itself
	leave   int                 // so many characters at its end belong to the next token instead
	again   bool                // its full stop is read once more, as the end of the sentence
	acronym bool                // again, but a single letter gives its full stop away
}

var (
	keep     = action{}
	skip     = action{skip: true}
	plain    = action{form: withoutSoftHyphens}
	spaced   = action{form: func(s string) string { return strings.ReplaceAll(s, " ", "\u00a0") }}
	brackets = action{form: roundBrackets}
	amp      = action{form: func(s string) string { return ampEntity.Replace(s) }}
	closing  = action{form: func(s string) string { return closingQuotes.Replace(s) }}
	opening  = action{form: func(s string) string { return openingQuotes.Replace(s) }}
)

func printed(s string) action { return action{form: func(string) string { return s }} }

var (
	closingQuotes = strings.NewReplacer("&apos;", "'", "&quot;", "''", `"`, "''", "\u0091", "`", "\u2018", "`", "\u201b", "`",
		"\u2039", "`", "\u0092", "'", "\u2019", "'", "\u203a", "'", "\u0093", "``", "\u201c", "``", "\u00ab", "``",
		"\u0094", "''", "\u201d", "''", "\u00bb", "''")
	openingQuotes = strings.NewReplacer("&apos;", "`", "'", "`", "&quot;", "``", `"`, "``", "\u0091", "`", "\u2018", "`",
		"\u201b", "`", "\u2039", "`", "\u0092", "'", "\u2019", "'", "\u203a", "'", "\u0093", "``", "\u201c", "``",
		"\u00ab", "``", "\u0094", "''", "\u201d", "''", "\u00bb", "''")
	currency = strings.NewReplacer("\u00a2", "cents", "\u00a3", "#", "\u0080", "$", "\u00a4", "$", "\u20a0", "$", "\u20ac", "$")
	fraction = strings.NewReplacer("\u00bc", "1/4", "\u00bd", "1/2", "\u00be", "3/4", "\u2153", "1/3", "\u2154", "2/3")
	// The entity counts in any case.
	ampEntity = strings.NewReplacer("&amp;", "&", "&amP;", "&", "&aMp;", "&", "&aMP;", "&", "&Amp;", "&", "&AmP;", "&", "&AMp;", "&", "&AMP;", "&")
	roundPair = strings.NewReplacer("(", "-LRB-", ")", "-RRB-")
)

func roundBrackets(s string) string { return roundPair.Replace(s) }

// withoutSoftHyphens drops soft hyphens; a token of nothing else becomes a hyphen.
func withoutSoftHyphens(s string) string {
	if !strings.Contains(s, "\u00ad") {
		return s
	}
	if s = strings.ReplaceAll(s, "\u00ad", ""); s == "" {
		return "-"
	}
	return s
}

// dashes prints three or four hyphens as two.
func dashes(s string) string {
	if len(s) == 3 || len(s) == 4 {
		return "--"
	}
	return s
}

// oneOf is the alternatives of several lists of words.
func oneOf(lists ...string) string {
	return "(?:" + strings.Join(strings.Fields(strings.Join(lists, " ")), "|") + ")"
}

// rules builds the table for characters below a limit. Where two rules see equally far, the earlier one wins.
func rules(limit rune) []rule {
	c := newVocabulary(limit)
	return []rule{
		{anyCase(`c\+\+`), "", keep},
		{anyCase(`[cfCF]#`), "", keep},
		{anyCase(`cannot`), "", action{leave: 3}},
		{anyCase(`'twas`), "", action{leave: 3}},
		{anyCase(`'tis`), "", action{leave: 2}},
		{anyCase(oneOf("gimme gonna gotta lemme wanna")), "", action{leave: 2}},
		{c.tag, "", spaced},
		{anyCase(`&(?:md|mdash|ndash);`) + `|[\x{96}\x{97}\x{2013}-\x{2015}]`, "", printed("--")},
		{c.amp, "", printed("&")},
		{anyCase(`&(?:ht|tl|ur|lr|qc|ql|qr|odq|cdq|#[0-9]+);`), "", keep},
		{c.word, c.clitic, plain},
		{c.beforeNot, c.not, plain},
		{c.word, "", plain},
		{c.apostropheWord, "", keep},
		{anyCase(`y`) + c.apostrophe, c.letter, keep},
		{c.fullURL, "", keep},
		{c.likelyURL, "", keep},
		{c.email, "", keep},
		{`@[a-zA-Z_][a-zA-Z_0-9]*|#` + c.wordLetter + `+`, "", keep},
		{c.clitic, `[^A-Za-z]`, closing},
		{c.not, `[^A-Za-z]`, closing},
		{c.digit + `{1,2}[-/]` + c.digit + `{1,2}[-/]` + c.digit + `{2,4}`, "", keep},
		{c.number, "", plain},
		{`[\x{207A}\x{207B}\x{208A}\x{208B}]?(?:[\x{2070}\x{B9}\x{B2}\x{B3}\x{2074}-\x{2079}]+|[\x{2080}-\x{2089}]+)`, "", keep},
		{c.fraction, "", spaced},
		{`[\x{BC}-\x{BE}\x{2153}-\x{215E}]`, "", action{form: func(s string) string { return fraction.Replace(s) }}},
		{c.special, "", amp},
		{c.slashed, "", keep},
		{`[A-Z]*\$|#`, "", keep},
		{`[\x{80}\x{A2}-\x{A5}\x{60B}\x{E3F}\x{20A0}\x{20A4}\x{20AC}\x{FFE0}\x{FFE1}\x{FFE5}\x{FFE6}]`, "",
			action{form: func(s string) string { return currency.Replace(s) }}},
		{c.acronym + `\.`, c.blank + `+` + c.opener + c.blank, action{acronym: true}},
		{c.beforeNumber + `\.`, c.blank + `?` + c.digitOnly, keep},
		{`(?:` + anyCase(`pt`) + `[eyEY]|` + anyCase(`co`) + `)\.`, c.space + anyCase(`(?:ltd|lim)`), keep},
		{c.beforeLower + `\.`, c.blank + `(?:` + c.blank + `|` + c.upper + `|` + c.tag + `)`, action{again: true}},
		{c.beforeLower + `\.`, `[\x{0}-\x{10FFFF}][\x{0}-\x{10FFFF}]`, keep},
		{c.beforeLower + `\.`, "", action{again: true}},
		{c.beforeUpper + `\.`, "", keep},
		{c.beforeUpper, c.space, keep},
		{c.acronym, c.blank, keep},
		{c.apostrophe + `[0-9][0-9]`, c.blank, keep},
		{c.fileName, c.blank + `|[.?!,]`, keep},
		{c.word + `\.`, c.inner, plain},
		{c.phone, "", action{form: func(s string) string { return roundBrackets(strings.ReplaceAll(s, " ", "\u00a0")) }}},
		{c.quote, `[A-Za-z0-9$]`, opening},
		{c.quote, "", closing},
		{`\x7f`, "", skip},
		{`<|` + anyCase(`&lt;`), "", printed("<")},
		{`>|` + anyCase(`&gt;`), "", printed(">")},
		{`[<>]?[:;=][-o*']?[()DPdpO\\{@|\[\]]`, `[^A-Za-z0-9]`, brackets},
		{c.easternSmiley, "", brackets},
		{`\{`, "", printed("-LCB-")},
		{`\}`, "", printed("-RCB-")},
		{`\[`, "", printed("-LSB-")},
		{`\]`, "", printed("-RSB-")},
		{`\(`, "", printed("-LRB-")},
		{`\)`, "", printed("-RRB-")},
		{`-+`, "", action{form: dashes}},
		{`\.{3,5}|(?:\.[ \x{A0}]){2,4}\.|[\x{85}\x{2026}]`, "", printed("...")},
		{`@+|#+|_+`, "", keep},
		{`\*+|(?:\\\*){1,3}`, "", keep},
		{c.inner, "", keep},
		{`[?!]+`, "", keep},
		{`[.\x{A1}\x{BF}\x{37E}\x{589}\x{61F}\x{6D4}\x{700}-\x{702}\x{7FA}\x{3002}]`, "", keep},
		{`=`, "", keep},
		{`/`, "", keep},
		{c.hyphenated + `\.`, c.inner, plain},
		{c.hyphenated, "", plain},
		{c.compound + `\.`, c.inner, keep},
		{c.compound, "", keep},
		{c.joined + `\.`, c.inner, amp},
		{c.joined, "", amp},
		{`'`, `[A-Za-z][^ \t\n\r\x{A0}]`, opening},
		{c.clitic, "", closing},
		{c.not, "", closing},
		{c.quotes, "", closing},
		{`<<|>>`, "", keep},
		{c.symbol, "", keep},
		{`\x00|` + c.space + `+|[\x{200B}\x{200E}\x{200F}\x{FEFF}]`, "", skip},
		{c.newline, "", action{newline: true}},
		{anyCase(`&nbsp;`), "", skip},
	}
}

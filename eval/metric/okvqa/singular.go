package okvqa

// uncountable words have no singular.
var uncountable = expression(`(?i)\b(?:equipment|fish|information|jeans|money|rice|series|sheep|species)$`)

// singulars are the rules of inflection 0.5.1, the first that matches counts: irregular words, then endings.
var singulars = rewritings(
	`(?i)(z)ombies$`, "${1}ombie",
	`k[iI][nN][eE]$`, "cow",
	`K[iI][nN][eE]$`, "Cow",
	`(?i)(m)oves$`, "${1}ove",
	`(?i)(s)exes$`, "${1}ex",
	`(?i)(c)hildren$`, "${1}hild",
	`(?i)(h)umans$`, "${1}uman",
	`(?i)(m)en$`, "${1}an",
	`(?i)(p)eople$`, "${1}erson",
	`(?i)(database)s$`, "${1}",
	`(?i)(quiz)zes$`, "${1}",
	`(?i)(matr)ices$`, "${1}ix",
	`(?i)(vert|ind)ices$`, "${1}ex",
	`(?i)(passer)sby$`, "${1}by",
	`(?i)^(ox)en`, "${1}",
	`(?i)(alias|status)(es)?$`, "${1}",
	`(?i)(octop|vir)(us|i)$`, "${1}us",
	`(?i)^(a)x[ie]s$`, "${1}xis",
	`(?i)(cris|test)(is|es)$`, "${1}is",
	`(?i)(shoe)s$`, "${1}",
	`(?i)(o)es$`, "${1}",
	`(?i)(bus)(es)?$`, "${1}",
	`(?i)(m|l)ice$`, "${1}ouse",
	`(?i)(x|ch|ss|sh)es$`, "${1}",
	`(?i)(m)ovies$`, "${1}ovie",
	`(?i)(s)eries$`, "${1}eries",
	`(?i)([^aeiouy]|qu)ies$`, "${1}y",
	`(?i)([lr])ves$`, "${1}f",
	`(?i)(tive)s$`, "${1}",
	`(?i)(hive)s$`, "${1}",
	`(?i)([^f])ves$`, "${1}fe",
	`(?i)(t)he(sis|ses)$`, "${1}hesis",
	`(?i)(s)ynop(sis|ses)$`, "${1}ynopsis",
	`(?i)(p)rogno(sis|ses)$`, "${1}rognosis",
	`(?i)(p)arenthe(sis|ses)$`, "${1}arenthesis",
	`(?i)(d)iagno(sis|ses)$`, "${1}iagnosis",
	`(?i)(b)a(sis|ses)$`, "${1}asis",
	`(?i)(a)naly(sis|ses)$`, "${1}nalysis",
	`(?i)([ti])a$`, "${1}um",
	`(?i)(n)ews$`, "${1}ews",
	`(?i)(ss)$`, "${1}",
	`(?i)s$`, "",
)

// singular is the singular of a word by these rules.
func singular(word string) string {
	if uncountable().MatchString(word) {
		return word
	}
	for _, rule := range singulars() {
		if rule.find.MatchString(word) {
			return rule.find.ReplaceAllString(word, rule.put)
		}
	}
	return word
}

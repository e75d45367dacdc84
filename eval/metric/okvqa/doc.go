// Package okvqa stems answers as open_flamingo 2.0.1 does for OK-VQA, whose annotations are stemmed: a word is looked up in
// a table of exceptions; else a word in -ing becomes WordNet's verb, and a plural noun, by NLTK's tagger, its singular.
//
//	words.go     NLTK's word_tokenize
//	tagger.go    NLTK's averaged perceptron tagger
//	wordnet.go   WordNet's lemma of a verb, as NLTK finds it
//	singular.go  the rules of Python's inflection 0.5.1
//	manual.go    the table of exceptions
//
// The tagger's weights and WordNet are data of NLTK's, which are not part of this program: they are read from where NLTK
// keeps them.
package okvqa

// Package ptb splits English into Penn Treebank tokens as caption scorers expect them: it prints what Stanford CoreNLP
// 3.4.1 prints for `PTBTokenizer -preserveLines -lowerCase`, and then drops the punctuation that pycocoevalcap 1.2
// drops. No Java is needed.
//
// The tokenizer is a table of rules (rules.go), each a regular expression with what may have to follow it. At every
// place the rule that sees farthest wins, the earlier one among equals. All rules are run at once by one automaton
// whose states are made when they are first reached (automaton.go).
package ptb

package main

// evalCmd has the evaluation of a model, and the scoring of files that somebody else's model wrote.
type evalCmd struct {
	Score evalScoreCmd `cmd:"" help:"Score a file of captions or answers."`
}

package pipeline

// The kinds of failure that a caller tells apart, for exit codes.

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrUsage: the configuration cannot be used as it is (exit 2).
	ErrUsage = errors.New("wrong configuration")
	// ErrPartial: done, but some inputs could not be read; the Summary names them (exit 3).
	ErrPartial = errors.New("some inputs could not be read")
	// ErrRefused: the run was made with another configuration or profile, or is in use (exit 4).
	ErrRefused = errors.New("refused")
)

// kindError is an error of one of the kinds above whose text does not repeat the kind.
type kindError struct {
	kind error
	text string
}

func (e *kindError) Error() string { return e.text }
func (e *kindError) Unwrap() error { return e.kind }

func usage(format string, args ...any) error {
	return &kindError{ErrUsage, fmt.Sprintf(format, args...)}
}

func refused(format string, args ...any) error {
	return &kindError{ErrRefused, fmt.Sprintf(format, args...)}
}

// Problem is an input that could not be read, or not to its end.
type Problem struct {
	Input string `json:"input"` // its location
	Error string `json:"error"`
}

func partial(problems []Problem) error {
	var lines []string
	for _, p := range problems {
		lines = append(lines, p.Input+": "+p.Error)
	}
	return &kindError{ErrPartial, fmt.Sprintf("done, but %d input(s) could not be read to their end:\n  %s",
		len(problems), strings.Join(lines, "\n  "))}
}

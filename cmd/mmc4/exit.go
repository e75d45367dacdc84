package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"mmc4/kernels/device"
	"mmc4/pipeline"
)

// Exit codes, as documented in docs/scripting.md.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitPartial     = 3 // done, but some inputs could not be read
	exitRefused     = 4 // the run was made with another config or profile, or is in use
	exitInterrupted = 130
)

// usageError is a mistake in what the user typed or wrote in a config file.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// errFailed means that the verb has already said what failed.
var errFailed = errors.New("failed")

// report prints an error for a person and returns the exit code it stands for.
func report(stderr io.Writer, err error) int {
	if err == nil {
		return exitDone
	}
	if !errors.Is(err, errFailed) {
		fmt.Fprintf(stderr, "mmc4: %v\n", err)
	}
	return exitCode(err)
}

func exitCode(err error) int {
	var usage usageError
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &usage), errors.Is(err, pipeline.ErrUsage), errors.Is(err, device.ErrUnknown):
		return exitUsage
	case errors.Is(err, pipeline.ErrPartial):
		return exitPartial
	case errors.Is(err, pipeline.ErrRefused):
		return exitRefused
	}
	return exitFailed
}

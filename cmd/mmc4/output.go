package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// output is where a verb speaks: records to stdout, one way or the other, and words about them.
type output struct {
	out, err *os.File
}

// record prints one result: the object as JSON, or the words.
func (o *output) record(asJSON bool, object any, words string) error {
	if !asJSON {
		_, err := fmt.Fprintln(o.out, words)
		return err
	}
	line, err := json.Marshal(object)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.out, "%s\n", line)
	return err
}

// say prints words for a person that are not results.
func (o *output) say(asJSON bool, format string, args ...any) {
	to := o.out
	if asJSON {
		to = o.err
	}
	fmt.Fprintf(to, format+"\n", args...)
}

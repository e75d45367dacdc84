package data

import (
	"testing"

	"mmc4/internal/jsonscan"
)

func TestTextOf(t *testing.T) {
	var s jsonscan.Scanner
	for line, want := range map[string]string{
		`{"text":"a\u00e9"}`:                  "aé",
		`{"id":[{"text":1}],"text":"b"} `:     "b",
		`{"text":"a","text":"b"}`:             "b",
		`{}`:                                  `error: no "text"`,
		`null`:                                `error: no "text"`,
		`{"text":null,"x":1}`:                 `error: no "text"`,
		`{"text":5}`:                          "error: byte 8: expected a string, found a number",
		`{"text":"a"`:                         "error: byte 11: the text ends inside a value",
		`{"text":"a"} {"text":"b"}`:           "error: byte 13: something follows the value",
		`{"text":"a","other":"` + "\t" + `"}`: "error: byte 21: control character in a string",
	} {
		got, err := textOf(&s, []byte(line))
		if err != nil {
			got = "error: " + err.Error()
		}
		if got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}

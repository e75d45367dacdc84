package configs

import (
	"strings"
	"testing"
)

type inner struct {
	Depth int     `yaml:"depth"`
	Rate  float64 `yaml:"rate"`
}

type outer struct {
	Name   string           `yaml:"name"`
	Shots  []int            `yaml:"shots"`
	Seeds  []uint32         `yaml:"seeds"`
	Inner  inner            `yaml:"inner"`
	Parts  []inner          `yaml:"parts"`
	By     map[string]inner `yaml:"by"`
	On     *bool            `yaml:"on"`
	Hidden int              `yaml:"-"`
}

func TestDecode(t *testing.T) {
	good := outer{Name: "kept"}
	if err := Decode("f", []byte("shots: [0, 4]\ninner: {depth: 3, rate: 1e-3}\non: true\nby: {a: {depth: 1}}"), &good); err != nil || good.Name != "kept" || good.Inner.Rate != 1e-3 {
		t.Fatal(err, good)
	}
	for text, wants := range map[string][]string{
		"shotz: [1]":                       {"f: line 1", "shotz", "did you mean shots?", "by, inner, name, on, parts, seeds, shots"},
		"name: x\nwhatever: 2":             {"line 2", "no key whatever.", "Keys here"},
		"inner: {dept: 1}":                 {"inner.dept", "did you mean depth?", "Keys in inner: depth, rate"},
		"inner: {rate: abc}":               {`inner.rate is "abc": it must be a number`},
		"inner: {depth: 1.5}":              {"inner.depth is 1.5: it must be a whole number"},
		"inner: 3":                         {"inner is 3: it must be a group of keys"},
		"parts: [{depth: 1}, {depth: no}]": {"parts.1.depth", "a whole number"},
		"parts: {depth: 1}":                {"parts is a group of keys: it must be a list"},
		"by: {a: {deep: 1}}":               {"by.a.deep", "depth"},
		"on: maybe":                        {`on is "maybe"`, "true or false"},
		"seeds: [-1]":                      {"seeds.0 is -1", "not negative"},
		"name: [a]":                        {"name is a list", "a text"},
		"hidden: 1":                        {"no key hidden"},
		"- a":                              {"no keys with values"},
		"name: [x":                         {"f:"},
	} {
		err := Decode("f", []byte(text), &outer{})
		if err == nil {
			t.Errorf("%q was read", text)
			continue
		}
		for _, want := range wants {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v, want %q", text, err, want)
			}
		}
		for _, no := range []string{"outer", "Go struct", "uint", "float64"} {
			if strings.Contains(err.Error(), no) {
				t.Errorf("%q: %v speaks of %q", text, err, no)
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("shots: [1]\ninner: {depth: x}"))
	f.Add([]byte("by: {a: [1]}"))
	f.Fuzz(func(t *testing.T, data []byte) { _ = Decode("f", data, &outer{}) })
}

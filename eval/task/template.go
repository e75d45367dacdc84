package task

import (
	"fmt"
	"strconv"
	"strings"
)

// template is text with fields: {name}, or {name:012} for a number filled up with zeros.
type template []piece

type piece struct {
	text  string
	field string
	width int
}

func parseTemplate(s string) (template, error) {
	var t template
	for s != "" {
		text, rest, found := strings.Cut(s, "{")
		if text != "" {
			t = append(t, piece{text: text})
		}
		if !found {
			break
		}
		field, rest, found := strings.Cut(rest, "}")
		name, width, padded := strings.Cut(field, ":")
		p := piece{field: name}
		if !found || name == "" || strings.ContainsAny(name, "{ ") {
			return nil, fmt.Errorf("%q: a field is written {name}", s)
		}
		if padded {
			n, err := strconv.Atoi(width)
			if err != nil || n < 1 || n > 64 || width[0] != '0' {
				return nil, fmt.Errorf("{%s}: after the colon stands a zero and a width, as in {image_id:012}", field)
			}
			p.width = n
		}
		t = append(t, p)
		s = rest
	}
	return t, nil
}

// fill puts values into the fields.
func (t template) fill(values map[string]string) (string, error) {
	var b strings.Builder
	for _, p := range t {
		if p.field == "" {
			b.WriteString(p.text)
			continue
		}
		v, ok := values[p.field]
		if !ok {
			var names []string
			for name := range values {
				names = append(names, name)
			}
			return "", fmt.Errorf("there is no field {%s}: this example has %s", p.field, strings.Join(sorted(names), ", "))
		}
		for n := len(v); n < p.width; n++ {
			b.WriteByte('0')
		}
		b.WriteString(v)
	}
	return b.String(), nil
}

// Fill puts values into the fields of a template.
func Fill(text string, values map[string]string) (string, error) {
	t, err := parseTemplate(text)
	if err != nil {
		return "", err
	}
	return t.fill(values)
}

// imageToken stands in a prompt where the model sees a picture.
const imageToken = "<image>"

// Write makes a prompt of demonstrations and a query. Without pictures the demonstrations' <image> are taken out, also
// those that stand in their texts, as open_flamingo does for zero shots.
func (p Prompt) Write(demonstrations []*Sample, query *Sample, pictures bool) (string, error) {
	shown, err := parseTemplate(p.Demonstration)
	if err != nil {
		return "", err
	}
	asked, err := parseTemplate(p.Query)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, d := range demonstrations {
		text, err := shown.fill(d.Fields)
		if err != nil {
			return "", fmt.Errorf("demonstration %s: %w", d.ID, err)
		}
		if text += p.Between; !pictures {
			text = strings.ReplaceAll(text, imageToken, "")
		}
		b.WriteString(text)
	}
	text, err := asked.fill(query.Fields)
	if err != nil {
		return "", fmt.Errorf("example %s: %w", query.ID, err)
	}
	b.WriteString(text)
	return b.String(), nil
}

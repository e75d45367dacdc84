package page

// The srcset attribute, by the HTML standard ("parse a srcset attribute").

import (
	"strconv"
	"strings"
)

// SrcsetImage is one image of a srcset. Width, Height and Density are those of its descriptors; 0 and not Has where there
// is none.
type SrcsetImage struct {
	URL        string
	Width      float64 // in pixels, from "w"
	Height     float64 // from "h"
	Density    float64 // from "x"
	HasDensity bool
}

const htmlSpace = " \t\n\f\r"

// ParseSrcset gives the images of a srcset in order. One with a bad descriptor is left out; the others stay.
func ParseSrcset(s string) []SrcsetImage {
	var out []SrcsetImage
	for {
		s = strings.TrimLeft(s, htmlSpace+",")
		if s == "" {
			return out
		}
		end := strings.IndexAny(s, htmlSpace)
		if end < 0 {
			end = len(s)
		}
		url := s[:end]
		s = s[end:]
		var descriptors []string
		if strings.HasSuffix(url, ",") {
			url = strings.TrimRight(url, ",")
		} else {
			descriptors, s = splitDescriptors(s)
		}
		if image, ok := describe(url, descriptors); ok {
			out = append(out, image)
		}
	}
}

// splitDescriptors reads up to the comma that ends an image; commas and white space in parentheses do not count.
func splitDescriptors(s string) (list []string, rest string) {
	from, parens := -1, false // from: where the descriptor at hand began
	for i := range len(s) {
		c := s[i]
		switch {
		case parens:
			parens = c != ')'
		case strings.IndexByte(htmlSpace, c) >= 0:
			if from >= 0 {
				list = append(list, s[from:i])
				from = -1
			}
		case c == ',':
			if from >= 0 {
				list = append(list, s[from:i])
			}
			return list, s[i+1:]
		default:
			if from < 0 {
				from = i
			}
			parens = c == '('
		}
	}
	if from >= 0 {
		list = append(list, s[from:])
	}
	return list, ""
}

func describe(url string, descriptors []string) (SrcsetImage, bool) {
	image := SrcsetImage{URL: url}
	var hasWidth, hasHeight bool
	for _, d := range descriptors {
		value := d[:len(d)-1]
		switch d[len(d)-1] {
		case 'w':
			n, ok := positive(value)
			if !ok || hasWidth || image.HasDensity {
				return image, false
			}
			image.Width, hasWidth = n, true
		case 'h':
			n, ok := positive(value)
			if !ok || hasHeight || image.HasDensity {
				return image, false
			}
			image.Height, hasHeight = n, true
		case 'x':
			n, ok := validFloat(value)
			if !ok || n < 0 || hasWidth || hasHeight || image.HasDensity {
				return image, false
			}
			image.Density, image.HasDensity = n, true
		default:
			return image, false
		}
	}
	return image, !hasHeight || hasWidth
}

// positive reads a valid non-negative integer that is not 0.
func positive(s string) (float64, bool) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, _ := strconv.ParseFloat(s, 64)
	return n, n != 0
}

// validFloat reads a valid floating-point number of the HTML standard: no plus sign, digits behind a point.
func validFloat(s string) (float64, bool) {
	digits := func(t string) string { return strings.TrimLeft(t, "0123456789") }
	t := strings.TrimPrefix(s, "-")
	rest := digits(t)
	whole := len(rest) < len(t)
	if fraction, ok := strings.CutPrefix(rest, "."); ok {
		if rest = digits(fraction); len(rest) == len(fraction) {
			return 0, false
		}
	} else if !whole {
		return 0, false
	}
	if rest != "" {
		if rest[0] != 'e' && rest[0] != 'E' {
			return 0, false
		}
		exponent := rest[1:]
		if exponent != "" && (exponent[0] == '-' || exponent[0] == '+') {
			exponent = exponent[1:]
		}
		if exponent == "" || digits(exponent) != "" {
			return 0, false
		}
	}
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil
}

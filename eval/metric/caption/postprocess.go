package caption

import "strings"

// Postprocess cuts a caption out of what a model generated: up to the first "Output". (open_flamingo's caller also
// removes double quotes: see Unquote.)
func Postprocess(generated string) string {
	caption, _, _ := strings.Cut(generated, "Output")
	return caption
}

// Unquote removes double quotes.
func Unquote(s string) string { return strings.ReplaceAll(s, `"`, "") }

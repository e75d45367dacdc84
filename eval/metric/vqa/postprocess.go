package vqa

import "strings"

// Postprocess cuts an answer out of what a model generated: up to the first "Question", "Answer" or "Short" (in this
// case, inside words too), then up to the first comma and space.
func Postprocess(generated string) string {
	cut := len(generated)
	for _, word := range []string{"Question", "Answer", "Short"} {
		if i := strings.Index(generated[:cut], word); i >= 0 {
			cut = i
		}
	}
	answer, _, _ := strings.Cut(generated[:cut], ", ")
	return answer
}

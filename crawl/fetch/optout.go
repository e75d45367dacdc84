package fetch

// Opting out by the headers of an answer: X-Robots-Tag and the TDM Reservation Protocol.

import (
	"net/http"
	"strings"
)

// closing are the directives of X-Robots-Tag that say no to what this program does with a picture.
var closing = map[string]bool{"noai": true, "noimageai": true, "noml": true, "noindex": true, "noimageindex": true, "none": true}

// valued are directives that have a colon of their own and so do not name a robot.
var valued = map[string]bool{"unavailable_after": true, "max-snippet": true, "max-image-preview": true, "max-video-preview": true}

// optOut gives the header that says no, or "".
func optOut(h http.Header) string {
	for _, value := range h.Values("X-Robots-Tag") {
		if directive := robotsTag(value, Agent); directive != "" {
			return "X-Robots-Tag: " + directive
		}
	}
	for _, value := range h.Values("Tdm-Reservation") {
		if strings.TrimSpace(value) == "1" {
			return "tdm-reservation: 1"
		}
	}
	return ""
}

// robotsTag reads one X-Robots-Tag line for an agent (lower case): "noai, noindex", or "otherbot: noai, mmc4: noindex",
// where a name holds for the directives behind it until the next name. It gives the first directive that says no.
func robotsTag(line, agent string) string {
	mine := true
	for part := range strings.SplitSeq(line, ",") {
		directive := strings.ToLower(strings.TrimSpace(part))
		for {
			name, rest, colon := strings.Cut(directive, ":")
			name = strings.TrimSpace(name)
			if !colon || valued[name] {
				break
			}
			name, _, _ = strings.Cut(name, "/")
			mine = name == agent || name == "*"
			directive = strings.TrimSpace(rest)
		}
		if mine && closing[directive] {
			return directive
		}
	}
	return ""
}

// Package fetch brings pictures from the live web, politely and within bounds.
//
// A Fetcher asks for URLs and gives one Result for each, whatever happens: the outcome is a word of the contract
// (docs/fetch.md lists them), never an error. It obeys robots.txt (RFC 9309, package robots) and the opt-out headers,
// keeps the limits of requests and connections for every host, and never connects to a private address that the user
// did not name.
//
//	f, err := fetch.New(fetch.Options{Contact: "you@example.org", Version: "1.0"})
//	defer f.Close()
//	err = f.Run(ctx, urls, func(r fetch.Result) { ... })   // any number of URLs in any order; results as they come
//	r := f.Fetch(ctx, "https://example.org/a.png")         // one
//
// What the fetcher decides and what it leaves: it decides every outcome but too_many_pixels, decode_error and the
// cut picture inside a complete answer, which need a decoder. An "ok" of the fetcher says that all bytes came and that
// they begin like a picture of a known format; whoever decodes Body lowers it to not_image (a format that the decoders
// lack), decode_error, truncated or too_many_pixels.
//
// The heart is a scheduler (engine.go) of small steps (step.go): one step is one HTTP exchange with one host. Between
// the steps of a URL (robots.txt, the hops of a redirect, another attempt) it waits in the queue of the host it needs
// next and holds nothing: no goroutine, no connection. So a slow host delays its own URLs and no others.
package fetch

// Package report writes RUN/report.html: one page that shows what a finished run holds and what it left out.
//
// The page is self-contained: no scripts, no requests, pictures as data URIs in small previews, within MaxBytes. What it
// shows of the web (texts, URLs, alt texts) is foreign: html/template escapes all of it, and the page's own content
// security policy forbids everything but inline styles and inline pictures.
//
// The same run gives the same bytes: documents and rejects are sampled by hashes, not by chance (sample.go). Tables are
// read in passes, so memory does not grow with the run.
package report

// Package weburl reads URLs as browsers do (WHATWG URL standard) and makes the SURT keys of Common Crawl's indexes.
package weburl

// Package page finds the image candidates of a page: URLs that stand in its images' attributes, by its WAT record or by
// its HTML, in the order of the page.
package page

// Package formats reads the files that evaluations are kept in: predictions, and the references of the official data
// sets. It reads JSON and JSON lines and returns plain records; it scores nothing.
//
// Foreign files are broken in many ways, so nothing is guessed: a file that is not JSON is an error that names the file
// and the line, and a record without an id or a text is returned with the reason in Bad.
package formats

// Package jsonscan reads usual JSON quickly, in one pass and without reflection, into whatever its caller makes of it: what is
// unusual, wrong or missing it gives up, and encoding/json judges that. Whatever it takes, encoding/json takes too and
// reads the same.
package jsonscan

// Package conformance recomputes the results of the reference programs with the production code and compares.
//
// A golden is a folder with a case.json; its "kind" names what to run. Each kind is one small file here,
// kind_<name>.go, that registers a Checker and calls the same functions that `mmc4 build`, `train` and `eval` call:
// no kind computes anything of its own. Run is the whole of `mmc4 golden`.
package conformance

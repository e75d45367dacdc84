// Package bench measures this program against what people would otherwise use, on the same input, one thread each.
//
// A Row names an input and a peer. Run opens both sides, compares their outputs first, then lets them run in turn for at
// least seven rounds and takes the median of the rounds' ratios. A side's figure is CPU time, user and system, of its whole
// process: what the machine does besides disturbs it least. When the outputs differ there is no ratio.
//
// Peers are child processes that speak JSON lines (peer.go). Their scripts lie in peers/ and travel inside the program; what
// they import is installed by peers/install.sh (`make peers`) in pinned versions.
//
// Adding a row: a row_ file here with an entry in rows.go, and a script in peers/.
package bench

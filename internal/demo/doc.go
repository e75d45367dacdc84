// Package demo makes a little web of our own, and the small CLIP that can read it.
//
// Write draws a few hundred pages of prose with pictures (coloured shapes, flags, clock faces, dice, houses, charts, ...) and
// stores them as a crawl: WARC, WAT, both indexes, C4 documents, the pictures' bytes, and the truth: which sentence each picture
// shows, and which rule leaves out each of the others. Serve answers for the hosts of that web on loopback. Accuracy compares a
// finished run with the truth. CLIP is the embedded model, trained on such drawings with other seeds by tools/democlip from what
// DrawTraining writes. Run ties them together for `mmc4 demo`.
//
// Everything is a function of the seed: the same seed gives the same bytes.
package demo

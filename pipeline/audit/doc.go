// Package audit reads finished runs and says whether they hold what they should, and where the rest went.
//
// Verify holds a run against its manifest and against itself: the files, their columns, every row, and the books: each
// document that came in is in docs or has a reject, each image of it is kept or has exactly one reject, and every image
// that was asked for has its outcome. Explain turns rejects and outcomes into a funnel with causes and next steps.
//
// Both go through internal/storage and read the product alone (docs, rejects, images, files, manifest.json), never the
// work folder, in memory that does not grow with the run: tables are read row by row, and what must be compared across
// files goes through a ledger on disk (ledger.go).
package audit

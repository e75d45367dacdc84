// Package hub fetches models from the Hugging Face hub, or a mirror of it, into a folder that models/clip, models/lm and
// models/tokenizer open.
//
//	ref, err := hub.ParseRef("hf://org/name@main")
//	m, err := hub.Fetch(ctx, ref, "ViT-L-14", hub.Options{Token: os.Getenv("HF_TOKEN")})
//
// It asks for the list of a revision's files, takes what a model needs of them (select.go), fetches each file of the one
// commit with ranges and retries into NAME.HASH.partial, checks its hash and only then gives it its name. A fetch that was
// cut off goes on where it was. What came is written to mmc4-model.json beside it.
//
// The hub's interface as used here: GET /api/models/ID/revision/REV?blobs=true lists files with sizes, git blob ids and,
// for large files, SHA-256; GET /ID/resolve/COMMIT/FILE gives a small file itself and redirects to another host for a large
// one, with X-Linked-Etag (SHA-256) and X-Linked-Size on the redirect.
package hub

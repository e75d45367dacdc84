// Package visual keeps what the frozen image tower made of pictures, so that later epochs of a training, and other trainings
// with the same tower, need no tower at all.
//
//	print, err := visual.Fingerprint(ctx, file, config, preprocess, classToken, dtype)
//	store, err := visual.Open(ctx, "features/", visual.Kind{Fingerprint: print, Tokens: 256, Width: 1024, DType: kernels.F32})
//	tokens, err := store.Get(visual.KeyOf(square))     // ErrMissing, ErrDamaged
//	err = store.Put(visual.KeyOf(square), tokens)
//	err = store.Flush(ctx)
//
// A picture's key is the hash of the pixels that the tower is shown, after resizing and mirroring: whatever file they come
// from. A tower's fingerprint is the hash of its weights, shape, number type and normalisation. Files are safetensors
// (tensors [tokens, width] under the keys, checksums in the metadata) that anything can open; they are written once and
// whole, to a folder or to S3, and files of several towers may lie together.
package visual

// Package clip is CLIP with a vision transformer, as open_clip 2.20 (before 2.23) and Hugging Face compute it.
//
//	m, err := clip.Load(ctx, dir, dev, clip.Options{})
//	images, err := m.EncodeImages(ctx, pictures)   // [][]float32, each of length m.Dim() and norm 1
//	texts, err := m.EncodeTexts(ctx, sentences)
//
// The towers, Vision and Text, are written once against kernels.Pass: with a tape they can be trained, without they only
// compute. Flamingo uses Vision.Patches. preprocess.go makes the pixels.
//
// Shapes in names: B batch, T tokens, P patches, C width, H W sides in pixels.
package clip

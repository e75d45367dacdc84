// Package flamingo gives a language model eyes: a perceiver resampler turns the patch tokens of an image into a fixed number
// of latents, and gated cross-attention blocks before some layers of the language model let text look at the image that it
// follows (Flamingo, arXiv 2204.14198). It computes what open_flamingo 2.0.1, flamingo-mini and flamingo-pytorch compute,
// and reads and writes their weights.
//
//	config, err := flamingo.ParseConfig(json)
//	m, err := flamingo.New(dev, queue, config, flamingo.Sources{Vision: clipFile, LM: lmFile, Flamingo: checkpoint}, flamingo.Options{})
//	media := m.See(pass, pixels, slots)                   // tower and resampler, once an image
//	logits := m.Logits(pass, m.Hidden(pass, input, media))
//	result, err := m.Generate(ctx, pass, prompt, media, flamingo.Decoding{...})
//
// Text sees an image through its markers: a token's text time is the number of <image> tokens up to and including it, and
// it looks at the latents of the image of that number (of all up to it with AttendPrevious); before the first marker it
// sees nothing.
//
// Shapes in names: B rows of text, T tokens, S image slots of a row, I images, F frames of an image, P patches, N latents,
// C width of the text, E width of the vision tower, H heads, D features of a head.
package flamingo

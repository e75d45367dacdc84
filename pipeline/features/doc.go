// Package features turns pictures or sentences into CLIP features, one row each, in the order of the input.
//
//	summary, err := features.Embed(ctx, features.Config{Input: "photos/", Out: "photos.parquet", Model: model}, report)
//
// source.go finds what is to be embedded: a folder of pictures, a list, or a finished run. embed.go decodes and resizes on
// several goroutines while the model computes. write.go makes Parquet or npy. tokens.go keeps the image tower's tokens for
// training instead (Tokens). The same input, model and device give the same bytes for any number of workers.
package features

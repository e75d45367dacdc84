// Package imaging turns foreign picture bytes into pixels, resizes them and writes them again, in every bit as Pillow
// does, because MMC4, open_clip and OpenFlamingo all saw the web through Pillow.
//
//	cfg, err := imaging.Probe(data)                       // format, mode and size, without decoding
//	pic, err := imaging.Decode(data, imaging.Limits{})    // the file's own mode: palette, grey, CMYK, ...
//	rgb := pic.RGB()                                      // Pillow's convert("RGB")
//	small := imaging.Resize(rgb, 224, 224, imaging.Bicubic, nil)
//	small, err = imaging.DecodeCrop(data, limits, imaging.Bicubic, crop) // all of it, and only as much as the crop needs
//
// JPEG and WebP are decoded by libjpeg-turbo and libwebp when the machine has them (they are loaded at run time; nothing
// is linked), else by Go; Decoders says which. PNG, GIF and BMP are always decoded here. Every decoder is safe on
// hostile bytes: pixel limits are enforced before memory is taken, and every failure is one of the Err values.
package imaging

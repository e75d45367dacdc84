package audit

// The bytes of kept pictures.

import (
	"crypto/sha256"
	"encoding/hex"

	"mmc4/dedup"
	"mmc4/internal/imaging"
	"mmc4/pipeline"
	"mmc4/schemas"
)

type rejection = *dedup.Rejection

// pixels decodes a picture, compares it with what its row says, and tells whether its bytes are those that were fetched.
func (c *checker) pixels(data []byte, m *schemas.ImageInfo, hash uint64, wrong func(string, ...any)) (asFetched bool) {
	if len(data) == 0 {
		wrong("it has no bytes")
		return true
	}
	p, err := imaging.Decode(data, imaging.Limits{MaxPixels: c.settings.MaxPixels})
	if err != nil {
		wrong("its bytes do not decode: %v", err)
		return true
	}
	if int32(p.Width) != m.Width || int32(p.Height) != m.Height || p.Format.MediaType() != m.MediaType {
		wrong("its bytes are %s of %d x %d, the row says %s of %d x %d", p.Format.MediaType(), p.Width, p.Height, m.MediaType, m.Width, m.Height)
	}
	sum := sha256.Sum256(data)
	if hex.EncodeToString(sum[:]) != m.SHA256 {
		if m.MediaType != imaging.JPEG.MediaType() && m.MediaType != imaging.PNG.MediaType() {
			wrong("its bytes have another SHA-256 than the row, though %s is kept as fetched only", m.MediaType)
		}
		return false
	}
	if c.sameDecoders[string(p.Format)] {
		if again, err := dedup.PHash(p); err != nil || again != hash {
			wrong("its perceptual hash is %s, the row says %s", dedup.HashString(again), m.PHash)
		}
	}
	return true
}

// decodersOf are the formats that this machine decodes as the run's did; only there can a hash be computed again.
func decodersOf(m *pipeline.Manifest) map[string]bool {
	same := map[string]bool{}
	if len(m.ProfileChanges) > 0 {
		return same
	}
	now := pipeline.CurrentDecoders()
	for format, decoder := range m.Profile.Decoders {
		same[format] = now[format] == decoder
	}
	return same
}

package schemas

// The compression of Parquet pages. parquet-go's codec leaves a page as it is when nothing in it repeats, although hexadecimal
// digests are letters of four bits each: entropy coding halves them.

import (
	"sync"

	kzstd "github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

// Zstd is the compression of this package's files, for other tables of the project.
func Zstd() compress.Codec { return &zstdPages{} }

// zstdPages is parquet-go's zstd with literals coded always.
type zstdPages struct{ zstd.Codec }

var zstdEncoders = sync.Pool{New: func() any {
	e, err := kzstd.NewWriter(nil, kzstd.WithEncoderConcurrency(1), kzstd.WithEncoderLevel(kzstd.SpeedDefault), kzstd.WithZeroFrames(true),
		kzstd.WithEncoderCRC(false), kzstd.WithAllLitEntropyCompression(true))
	if err != nil {
		panic(err) // the options are constants
	}
	return e
}}

// Encode compresses src into dst.
func (*zstdPages) Encode(dst, src []byte) ([]byte, error) {
	e := zstdEncoders.Get().(*kzstd.Encoder)
	defer zstdEncoders.Put(e)
	return e.EncodeAll(src, dst[:0]), nil
}

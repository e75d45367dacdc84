package schemas

// Single values out of Arrow arrays, for Documents.

import (
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
)

func timeAt(a arrow.Array, i int) time.Time {
	return time.UnixMilli(int64(a.(*array.Timestamp).Value(i))).UTC()
}

func stringAt(a arrow.Array, i int) string { return string([]byte(a.(*array.String).Value(i))) }

func textAt(a arrow.Array, i int) *string {
	if a.IsNull(i) {
		return nil
	}
	s := stringAt(a, i)
	return &s
}

func scoreAt(a arrow.Array, i int) *float32 {
	if a.IsNull(i) {
		return nil
	}
	f := a.(*array.Float32).Value(i)
	return &f
}

func imageAt(s *array.Struct, i int) ImageInfo {
	n := func(field int) int32 { return s.Field(field).(*array.Int32).Value(i) }
	m := ImageInfo{ImageName: stringAt(s.Field(0), i), RawURL: stringAt(s.Field(1), i), MatchedTextIndex: n(2),
		MatchedSim: s.Field(3).(*array.Float32).Value(i), Width: n(4), Height: n(5), OriginalWidth: n(6), OriginalHeight: n(7),
		MediaType: stringAt(s.Field(8), i), SHA256: stringAt(s.Field(9), i), PHash: stringAt(s.Field(10), i), NSFW: scoreAt(s.Field(11), i),
		Face: scoreAt(s.Field(12), i), Attr: stringAt(s.Field(13), i), Alt: textAt(s.Field(14), i)}
	if b := s.Field(15).(*array.Binary); !b.IsNull(i) {
		m.Bytes = append([]byte{}, b.Value(i)...)
	}
	return m
}

func pageAt(s *array.Struct, i int) Page {
	return Page{WARCFilename: stringAt(s.Field(0), i), WARCOffset: s.Field(1).(*array.Int64).Value(i),
		WARCLength: s.Field(2).(*array.Int64).Value(i), WARCDate: timeAt(s.Field(3), i), Digest: textAt(s.Field(4), i),
		Route: stringAt(s.Field(5), i), Match: stringAt(s.Field(6), i)}
}

package data

import (
	"bytes"
	"io"
	"testing"
)

// metered counts what is read of it.
type metered struct {
	io.ReaderAt
	calls, bytes int
}

func (c *metered) ReadAt(b []byte, at int64) (int, error) {
	c.calls, c.bytes = c.calls+1, c.bytes+len(b)
	return c.ReaderAt.ReadAt(b, at)
}

// TestTarReads: members that lie together are read at one go, and what no document is made of stays where it is, large or not.
func TestTarReads(t *testing.T) {
	const film = 3 << 20
	text := make([]byte, 2*film)
	copy(text[1000:], "a caption")
	copy(text[2000:], "a picture")
	copy(text[3000+film:], "another")
	b := tarBlock{samples: []tarSample{
		{"1", map[string]place64{"txt": {1000, 9}, "jpg": {2000, 9}, "json": {1500, 100}, "mp4": {3000, film}}},
		{"2", map[string]place64{"txt": {3000 + film, 7}}},
		{"3", map[string]place64{"mp4": {5000 + film, 10}}},
	}}
	object := &metered{ReaderAt: bytes.NewReader(text)}
	data, err := b.read(object)
	if err != nil {
		t.Fatal(err)
	}
	if object.calls != 2 || object.bytes > 1009+7 {
		t.Errorf("%d bytes in %d calls", object.bytes, object.calls)
	}
	for i, want := range []string{"a caption", "another", ""} {
		d := b.samples[i].document(data)
		if len(d.Captions) > 0 && d.Captions[0] != want || (len(d.Captions) == 0) != (want == "") || (d.Bad != "") != (want == "") || len(d.Images) != []int{1, 0, 0}[i] {
			t.Errorf("%+v", d)
		}
	}
}

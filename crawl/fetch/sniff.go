package fetch

// What kind of picture a body begins like. Headers and names lie too often to be asked. Source of the signatures: the
// WHATWG MIME Sniffing Standard, and the formats' own specifications for those it does not name.

import "bytes"

// sniffLen is how many bytes sniff wants to see.
const sniffLen = 64

var signatures = []struct{ magic, mediaType string }{
	{"\x89PNG\r\n\x1a\n", "image/png"},
	{"\xff\xd8\xff", "image/jpeg"},
	{"GIF87a", "image/gif"},
	{"GIF89a", "image/gif"},
	{"BM", "image/bmp"},
	{"II*\x00", "image/tiff"},
	{"MM\x00*", "image/tiff"},
	{"II+\x00", "image/tiff"},
	{"MM\x00+", "image/tiff"},
	{"\x00\x00\x01\x00", "image/x-icon"},
	{"\x00\x00\x02\x00", "image/x-icon"},
	{"\x00\x00\x00\x0cjP  \r\n\x87\n", "image/jp2"},
	{"\xff\x4f\xff\x51", "image/jp2"},
	{"\xff\x0a", "image/jxl"},
	{"\x00\x00\x00\x0cJXL \r\n\x87\n", "image/jxl"},
	{"8BPS", "image/vnd.adobe.photoshop"},
	{"qoif", "image/qoi"},
}

// sniff gives the media type by the first bytes of a body, or "" when they are no picture's. SVG is none: it is a page.
func sniff(head []byte) string {
	for _, s := range signatures {
		if bytes.HasPrefix(head, []byte(s.magic)) {
			return s.mediaType
		}
	}
	if len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP" {
		return "image/webp"
	}
	if len(head) >= 12 && string(head[4:8]) == "ftyp" {
		for i := 8; i+4 <= len(head); i += 4 {
			switch string(head[i : i+4]) {
			case "avif", "avis":
				return "image/avif"
			case "heic", "heix", "heim", "heis", "mif1", "msf1":
				return "image/heic"
			}
		}
	}
	if len(head) >= 3 && head[0] == 'P' && head[1] >= '1' && head[1] <= '6' && bytes.IndexByte([]byte(" \t\r\n#"), head[2]) >= 0 {
		return "image/x-portable-anymap"
	}
	return ""
}

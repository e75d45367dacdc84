package warc

// HTTP bodies: chunked transfer, and the content encodings gzip, x-gzip, deflate (zlib or raw), br and zstd. Common Crawl
// stores bodies decoded, often under the old labels: a body that is not what its label says is left alone.

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// maxCodings are as many as curl undoes. A head has room for 100,000, each of which may give a body of the full size.
const maxCodings = 5

// ErrBodyTooLarge: the decoded body is larger than the limit; what was decoded up to it comes with the error.
var ErrBodyTooLarge = errors.New("decoded body is larger than the limit")

// Content is the body with transfer and content encodings undone. A body that is labelled with an encoding but not
// encoded is given back as it is. On damage: what could be decoded, and an error. limit is in bytes, 0 for the default.
func (m *Message) Content(limit int64) ([]byte, error) {
	if limit <= 0 {
		limit = defaultBody
	}
	body := m.Body
	for _, value := range m.Header.Values("Transfer-Encoding") {
		if containsToken(value, "chunked") {
			body = dechunk(body)
			break
		}
	}
	var codings []string
	for _, value := range m.Header.Values("Content-Encoding") {
		for _, coding := range strings.Split(value, ",") {
			if coding = strings.ToLower(strings.TrimSpace(coding)); coding != "" && coding != "identity" {
				codings = append(codings, coding)
			}
		}
	}
	if len(codings) > maxCodings {
		return body, fmt.Errorf("the body is labelled with %d content encodings, one in another", len(codings))
	}
	for _, coding := range slices.Backward(codings) {
		var err error
		if body, err = decode(coding, body, limit); err != nil {
			return body, err
		}
	}
	return body, nil
}

func containsToken(list, token string) bool {
	for _, item := range strings.Split(list, ",") {
		if strings.EqualFold(strings.TrimSpace(item), token) {
			return true
		}
	}
	return false
}

// dechunk undoes the chunked transfer coding (RFC 9112, 7.1); a body that does not begin with a chunk size is given back.
func dechunk(body []byte) []byte {
	rest, out, first := body, []byte(nil), true
	for len(rest) > 0 {
		end := bytes.IndexByte(rest, '\n')
		if end < 0 {
			end = len(rest) - 1
		}
		line := rest[:end+1]
		size, ok := chunkSize(line)
		if !ok {
			if first {
				return body
			}
			return out
		}
		first = false
		rest = rest[len(line):]
		if size == 0 {
			break
		}
		n := min(size, int64(len(rest)))
		out = append(out, rest[:n]...)
		rest = rest[n:]
		rest = bytes.TrimPrefix(rest, []byte("\r"))
		rest = bytes.TrimPrefix(rest, []byte("\n"))
	}
	return out
}

func chunkSize(line []byte) (int64, bool) {
	line, _, _ = bytes.Cut(line, []byte(";"))
	line = bytes.TrimSpace(line)
	if len(line) == 0 || len(line) > 15 {
		return 0, false
	}
	var n int64
	for _, c := range line {
		switch {
		case '0' <= c && c <= '9':
			n = n<<4 | int64(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			n = n<<4 | int64(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return n, true
}

// decode undoes one content coding.
func decode(coding string, body []byte, limit int64) ([]byte, error) {
	switch {
	case (coding == "gzip" || coding == "x-gzip") && bytes.HasPrefix(body, gzipMagic[:2]),
		coding == "zstd" && bytes.HasPrefix(body, zstdMagic), coding == "deflate", coding == "br":
	default:
		return body, nil
	}
	out, err := decodeAs(coding, body, limit)
	switch {
	case err == nil || errors.Is(err, ErrBodyTooLarge):
		return out, err
	case errors.Is(err, io.ErrUnexpectedEOF):
		out = cutTail(coding, body, limit, out)
	case coding == "br" || coding == "deflate":
		return body, nil // these two have no magic: what fails to decode was never encoded
	}
	if len(out) == 0 {
		return body, nil
	}
	return out, fmt.Errorf("body labelled %s: %w", coding, err)
}

func decodeAs(coding string, body []byte, limit int64) ([]byte, error) {
	var r io.Reader
	var err error
	in := bytes.NewReader(body)
	switch coding {
	case "gzip", "x-gzip":
		r, err = gzip.NewReader(in)
	case "deflate":
		if r, err = zlib.NewReader(in); err != nil {
			in.Reset(body)
			r, err = flate.NewReader(in), nil
		}
	case "br":
		r = brotli.NewReader(in)
	case "zstd":
		var d *zstd.Decoder
		if d, err = zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow)); err == nil {
			defer d.Close()
			r = d
		}
	}
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(io.LimitReader(r, limit+1))
	if int64(len(out)) > limit {
		return out[:limit], ErrBodyTooLarge
	}
	return out, err
}

// cutTail gives the last symbols of a deflate stream that was cut: the decoder wants more bits than a symbol may need. What
// comes out the same with zeros and with ones behind the end was all there.
func cutTail(coding string, body []byte, limit int64, out []byte) []byte {
	if coding == "br" || coding == "zstd" {
		return out
	}
	zeros, _ := decodeAs(coding, append(bytes.Clone(body), 0, 0, 0, 0), limit)
	ones, _ := decodeAs(coding, append(bytes.Clone(body), 255, 255, 255, 255), limit)
	n := 0
	for n < min(len(zeros), len(ones)) && zeros[n] == ones[n] {
		n++
	}
	if n > len(out) {
		return zeros[:n]
	}
	return out
}

package imaging

// JPEG: what can be known from the markers alone. The pixels come from libjpeg-turbo (jpeg_native.go) or Go.

import (
	"bytes"
	"encoding/binary"
)

// jpegFrame is what the frame header says.
type jpegFrame struct {
	width, height int
	components    int
}

// The markers that are told apart.
const (
	markerSOF0 = 0xC0
	markerDHT  = 0xC4
	markerJPG  = 0xC8
	markerDAC  = 0xCC
	markerSOI  = 0xD8
	markerEOI  = 0xD9
	markerSOS  = 0xDA
)

func isFrameHeader(marker byte) bool {
	return marker >= markerSOF0 && marker <= 0xCF && marker != markerDHT && marker != markerJPG && marker != markerDAC
}

func isBareMarker(marker byte) bool {
	return marker == 0x01 || marker >= 0xD0 && marker <= markerSOI // TEM, RST, SOI
}

// jpegMarkers calls visit with every marker, the body of its segment and where the segment ends, from the first after
// SOI on, until visit returns false or the data end (then it returns false). The entropy-coded data after SOS are passed
// over.
func jpegMarkers(data []byte, visit func(marker byte, body []byte, end int) bool) bool {
	pos := 2
	for {
		if n := bytes.IndexByte(data[pos:], 0xFF); n > 0 { // entropy-coded data, or rubbish that decoders skip
			pos += n
		} else if n < 0 {
			return false
		}
		for pos < len(data) && data[pos] == 0xFF {
			pos++
		}
		if pos >= len(data) {
			return false
		}
		marker := data[pos]
		pos++
		if marker == 0 || isBareMarker(marker) {
			continue
		}
		if marker == markerEOI {
			return !visit(marker, nil, pos)
		}
		if pos+2 > len(data) {
			return false
		}
		length := int(binary.BigEndian.Uint16(data[pos:]))
		if length < 2 || pos+length > len(data) {
			return false
		}
		if !visit(marker, data[pos+2:pos+length], pos+length) {
			return true
		}
		pos += length
	}
}

func readJPEGFrame(data []byte) (f jpegFrame, err error) {
	found := jpegMarkers(data, func(marker byte, body []byte, _ int) bool {
		switch {
		case marker == markerEOI || marker == markerSOS:
			err = damaged(JPEG, "no frame header before the pixels")
			return false
		case !isFrameHeader(marker):
			return true
		case len(body) < 6:
			err = damaged(JPEG, "a frame header of %d bytes", len(body))
		case body[0] != 8:
			err = damaged(JPEG, "%d bits a sample", body[0])
		default:
			f.height, f.width = int(binary.BigEndian.Uint16(body[1:])), int(binary.BigEndian.Uint16(body[3:]))
			f.components = int(body[5])
		}
		return false
	})
	if !found {
		return f, truncated(JPEG, "the header")
	}
	return f, err
}

// jpegEnds says whether the data reach the end-of-image marker. Without it libjpeg invents the rest, and Pillow raises.
// In data with errors the walk over the markers may miss it, so that one anywhere after the first scan's head will do.
func jpegEnds(data []byte) bool {
	scan := len(data)
	found := jpegMarkers(data, func(marker byte, _ []byte, end int) bool {
		if marker == markerSOS {
			scan = min(scan, end)
		}
		return marker != markerEOI
	})
	return found || bytes.Contains(data[scan:], []byte{0xFF, markerEOI})
}

func probeJPEG(data []byte) (Config, error) {
	f, err := readJPEGFrame(data)
	if err != nil {
		return Config{}, err
	}
	mode, known := map[int]Mode{1: ModeL, 3: ModeRGB, 4: ModeCMYK}[f.components]
	if !known {
		return Config{}, damaged(JPEG, "%d components", f.components)
	}
	return newConfig(JPEG, mode, f.width, f.height), nil
}

func decodeJPEG(data []byte, cfg Config) (*Picture, error) {
	if !jpegEnds(data) {
		return nil, truncated(JPEG, "the pixels")
	}
	var p *Picture
	decode := decodeJPEGGo
	if nativeJPEG() {
		decode = decodeJPEGNative
		p = lentPicture(cfg) // every row is written, of damaged files too
	} else {
		p = newPicture(cfg)
	}
	if err := decode(data, p); err != nil {
		return nil, err
	}
	if p.Mode == ModeCMYK { // stored the way Adobe does; Pillow turns it round whoever wrote it
		for i, v := range p.Pix {
			p.Pix[i] = 255 - v
		}
	}
	return p, nil
}

package imaging

// WebP: the RIFF container. Pixels come from libwebp (webp_native.go) or from golang.org/x/image with libwebp's own
// chroma upsampling and colour conversion (webp_go.go).

import "encoding/binary"

// webpFile is what the container says of the first frame.
type webpFile struct {
	width, height int // of the canvas
	alpha         bool
	frame         []byte // a still WebP file of its own with the first frame's bitstream
	x, y, w, h    int    // where the frame lies on the canvas
}

// webpChunk splits the chunk at pos; ok is false where the data end inside it.
func webpChunk(data []byte, pos int) (kind string, body []byte, next int, ok bool) {
	if len(data)-pos < 8 {
		return "", nil, 0, false
	}
	size := int64(binary.LittleEndian.Uint32(data[pos+4:]))
	if int64(len(data)-pos-8) < size {
		return string(data[pos : pos+4]), data[pos+8:], 0, false
	}
	end := pos + 8 + int(size)
	return string(data[pos : pos+4]), data[pos+8 : end], min(end+int(size&1), len(data)), true
}

// webpStillSize reads the size from the head of a VP8 or VP8L bitstream.
func webpStillSize(kind string, body []byte) (width, height int, alpha bool, err error) {
	switch {
	case kind == "VP8 " && len(body) < 10 || kind == "VP8L" && len(body) < 5:
		return 0, 0, false, truncated(WebP, "the header")
	case kind == "VP8 " && string(body[3:6]) == "\x9d\x01\x2a":
		width = int(binary.LittleEndian.Uint16(body[6:])) & 0x3FFF
		return width, int(binary.LittleEndian.Uint16(body[8:])) & 0x3FFF, false, nil
	case kind == "VP8L" && body[0] == 0x2F:
		bits := binary.LittleEndian.Uint32(body[1:])
		return int(bits&0x3FFF) + 1, int(bits>>14&0x3FFF) + 1, bits>>28&1 != 0, nil
	}
	return 0, 0, false, damaged(WebP, "chunk %q does not begin as it must", kind)
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

func readWebP(data []byte) (*webpFile, error) {
	kind, body, next, _ := webpChunk(data, 12)
	switch kind {
	case "VP8 ", "VP8L":
		w, h, alpha, err := webpStillSize(kind, body)
		return &webpFile{width: w, height: h, alpha: alpha, frame: data, w: w, h: h}, err
	case "VP8X":
		if len(body) < 10 {
			return nil, truncated(WebP, "the header")
		}
		f := &webpFile{width: uint24(body[4:]) + 1, height: uint24(body[7:]) + 1, alpha: body[0]&0x10 != 0, frame: data}
		if int64(f.width)*int64(f.height) > 1<<32-1 {
			return nil, damaged(WebP, "its size is %d x %d", f.width, f.height)
		}
		f.w, f.h = f.width, f.height
		if body[0]&0x02 != 0 {
			return f, f.firstFrame(data, next)
		}
		return f, f.stillAlpha(data, next)
	case "":
		return nil, truncated(WebP, "the header")
	}
	return nil, damaged(WebP, "it begins with chunk %q", kind)
}

// stillAlpha lets a lossless bitstream overrule the container's word on alpha, as libwebp does.
func (f *webpFile) stillAlpha(data []byte, pos int) error {
	for {
		kind, body, next, ok := webpChunk(data, pos)
		switch {
		case kind == "VP8L" && len(body) >= 5 && body[0] == 0x2F:
			f.alpha = body[4]>>4&1 != 0
			return nil
		case kind == "ALPH":
			f.alpha = true
			return nil
		case !ok || kind == "VP8 ":
			return nil // Decode says what is wrong, if anything is
		}
		pos = next
	}
}

// firstFrame finds the first frame of an animation and makes a file of its own of it.
func (f *webpFile) firstFrame(data []byte, pos int) error {
	for {
		kind, body, next, ok := webpChunk(data, pos)
		if !ok {
			return truncated(WebP, "the first frame")
		}
		if kind != "ANMF" {
			pos = next
			continue
		}
		if len(body) < 16 {
			return damaged(WebP, "a frame of %d bytes", len(body))
		}
		f.x, f.y = 2*uint24(body), 2*uint24(body[3:])
		f.w, f.h = uint24(body[6:])+1, uint24(body[9:])+1
		if f.x+f.w > f.width || f.y+f.h > f.height {
			return damaged(WebP, "a frame outside the canvas")
		}
		f.frame = webpStill(body[16:], f.w, f.h)
		return nil
	}
}

// webpStill wraps the chunks of a frame as a file.
func webpStill(chunks []byte, w, h int) []byte {
	head := []byte("RIFF\x00\x00\x00\x00WEBP")
	if len(chunks) >= 4 && string(chunks[:4]) == "ALPH" {
		x, y := w-1, h-1
		head = append(head, "VP8X\x0a\x00\x00\x00\x10\x00\x00\x00"...)
		head = append(head, byte(x), byte(x>>8), byte(x>>16), byte(y), byte(y>>8), byte(y>>16))
	}
	file := append(head, chunks...)
	binary.LittleEndian.PutUint32(file[4:], uint32(len(file)-8))
	return file
}

func probeWebP(data []byte) (Config, error) {
	f, err := readWebP(data)
	if err != nil {
		return Config{}, err
	}
	mode := ModeRGB
	if f.alpha {
		mode = ModeRGBA
	}
	return newConfig(WebP, mode, f.width, f.height), nil
}

func decodeWebP(data []byte, cfg Config) (*Picture, error) {
	if size := int64(binary.LittleEndian.Uint32(data[4:])); int64(len(data)) < size+8 {
		return nil, truncated(WebP, "the container")
	}
	f, err := readWebP(data)
	if err != nil {
		return nil, err
	}
	decode := decodeWebPGo
	if nativeWebP() {
		decode = decodeWebPNative
	}
	bands := cfg.Mode.Bands()
	p := newPicture(cfg)
	if f.w == f.width && f.h == f.height {
		return p, decode(f.frame, p.Pix, f.w, f.h, bands)
	}
	frame := make([]uint8, f.w*f.h*bands)
	if err := decode(f.frame, frame, f.w, f.h, bands); err != nil {
		return nil, err
	}
	for y := range f.h {
		copy(p.Pix[((f.y+y)*f.width+f.x)*bands:], frame[y*f.w*bands:][:f.w*bands])
	}
	return p, nil
}

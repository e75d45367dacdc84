package imaging

import (
	"os"
	"regexp"
	"runtime/debug"
)

// Decoder is one library that decodes or encodes pictures.
type Decoder struct {
	Name    string   // libjpeg-turbo, libwebp, ...
	Formats []Format // what it is used for
	Version string   // as far as it tells
	Path    string   // the file that was loaded; empty for code of this program
	Missing string   // why it is not used and what brings it, or empty
}

// library is what is known of a library that was to be loaded.
type library struct {
	path, version, missing string
}

// Decoders lists what Decode and the encoders use on this machine, and what they would use if it were there.
func Decoders() []Decoder {
	jpeg, webp := nativeLibraries()
	list := []Decoder{
		jpeg.decoder("libjpeg-turbo", "libturbojpeg.so.0", "libturbojpeg0", JPEG),
		webp.decoder("libwebp", "libwebp.so.7", "libwebp7", WebP),
	}
	if jpeg.missing != "" {
		list = append(list, Decoder{Name: "Go image/jpeg", Formats: []Format{JPEG}, Version: goVersion()})
	}
	if webp.missing != "" {
		list = append(list, Decoder{Name: "golang.org/x/image/webp", Formats: []Format{WebP}, Version: moduleVersion("golang.org/x/image")})
	}
	return append(list, Decoder{Name: "mmc4", Formats: []Format{PNG, GIF, BMP}, Version: ownVersion})
}

// ownVersion is of the decoders in this package; it is raised when one of them gives other pixels. The program's own version would make a
// run that is to go on after an update look as if its pictures came out otherwise.
const ownVersion = "1"

func (l library) decoder(name, file, debian string, format Format) Decoder {
	d := Decoder{Name: name, Formats: []Format{format}, Version: l.version, Path: l.path}
	if l.missing != "" {
		d.Missing = l.missing + "; " + file + " comes with the Debian and Ubuntu package " + debian
	}
	return d
}

var turboWords = regexp.MustCompile(`libjpeg-turbo version (\d[\w.]*)`)

// turboVersion looks for the words that libjpeg-turbo prints of itself; it has no call that tells its version.
func turboVersion(path string) string {
	file, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	if found := turboWords.FindSubmatch(file); found != nil {
		return string(found[1])
	}
	return ""
}

func goVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.GoVersion
	}
	return ""
}

func moduleVersion(path string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == path {
			return m.Version
		}
	}
	return ""
}

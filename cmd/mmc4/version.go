package main

import (
	"runtime"
	"runtime/debug"
	"strings"
)

// version is set by the release build (-ldflags -X main.version=...).
var version = "0.1.0-dev"

type versionCmd struct{ common }

func (versionCmd) Help() string { return "Example:\n  mmc4 version --json" }

type versionInfo struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Cgo      bool   `json:"cgo"`
	CUDA     bool   `json:"cuda"`
}

func currentVersion() versionInfo {
	v := versionInfo{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				v.Revision = s.Value
			case "vcs.modified":
				v.Modified = s.Value == "true"
			case "CGO_ENABLED":
				v.Cgo = s.Value == "1"
			case "-tags":
				v.CUDA = v.CUDA || hasTag(s.Value, "cuda")
			}
		}
	}
	return v
}

func (v versionInfo) String() string {
	s := "mmc4 " + v.Version
	if len(v.Revision) >= 12 {
		s += " (" + v.Revision[:12]
		if v.Modified {
			s += ", modified"
		}
		s += ")"
	}
	s += ", " + v.Go + " " + v.Platform
	if v.CUDA {
		s += ", with CUDA"
	}
	return s
}

func (c *versionCmd) Run(o *output) error {
	v := currentVersion()
	return o.record(c.JSON, v, v.String())
}

func hasTag(list, tag string) bool {
	for _, t := range strings.Split(list, ",") {
		if t == tag {
			return true
		}
	}
	return false
}

package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"mmc4/internal/imaging"
	"mmc4/kernels/device"
)

type doctorCmd struct{ common }

func (doctorCmd) Help() string {
	return `Says what this program finds on this machine: processor, devices, picture decoders, room for spilling; and what to do about
each lack. Nothing it misses keeps a build from running.

Example:
  mmc4 doctor`
}

// finding is one line of the doctor.
type finding struct {
	What string `json:"what"`
	OK   bool   `json:"ok"`
	Is   string `json:"is"`
	Do   string `json:"do,omitempty"` // what to do about it
}

func (f finding) String() string {
	mark := "ok  "
	if !f.OK {
		mark = "lack"
	}
	words := fmt.Sprintf("%s  %-16s %s", mark, f.What, f.Is)
	if f.Do != "" {
		words += "\n" + strings.Repeat(" ", 23) + f.Do
	}
	return words
}

func (c *doctorCmd) Run(o *output) error {
	findings := []finding{{What: "program", OK: true, Is: currentVersion().String()}}
	findings = append(findings, machine())
	findings = append(findings, devices()...)
	for _, d := range imaging.Decoders() {
		findings = append(findings, decoder(d))
	}
	findings = append(findings, scratch())
	for _, f := range findings {
		if err := o.record(c.JSON, f, f.String()); err != nil {
			return err
		}
	}
	return nil
}

func machine() finding {
	f := finding{What: "processor", OK: true, Is: fmt.Sprintf("%s, %d cores for this process", runtime.GOARCH, runtime.GOMAXPROCS(0))}
	if name := os.Getenv("MMC4_CPU"); name != "" {
		f.Is += "; MMC4_CPU=" + name + " lowers the instruction set"
	}
	return f
}

// devices says of each device whether it can be used; the first that can is what --device auto takes.
func devices() (findings []finding) {
	best := true
	for _, d := range device.List() {
		f := finding{What: "device " + d.Name, OK: d.Err == nil, Is: d.Profile}
		if d.Err != nil {
			f.Is = d.Err.Error()
		} else if best {
			f.Is += "; --device auto takes it"
			best = false
		}
		findings = append(findings, f)
	}
	return findings
}

func decoder(d imaging.Decoder) finding {
	formats := fmt.Sprint(d.Formats)
	f := finding{What: d.Name, OK: d.Missing == "", Is: strings.TrimSpace(d.Version + " " + d.Path + " " + formats)}
	if d.Missing != "" {
		f.Is, f.Do = d.Version, d.Missing
	}
	return f
}

// scratch looks at the folder where a build to S3 spills.
func scratch() finding {
	dir := os.TempDir()
	f := finding{What: "scratch", OK: true, Is: dir}
	file, err := os.CreateTemp(dir, "mmc4-doctor-")
	if err != nil {
		return finding{What: "scratch", Is: err.Error(), Do: "set TMPDIR to a folder that can be written"}
	}
	file.Close()
	os.Remove(file.Name())
	return f
}

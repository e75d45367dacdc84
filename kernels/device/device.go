package device

import (
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"mmc4/kernels"
)

// ErrUnknown means that a name stands for no device, on any machine.
var ErrUnknown = errors.New("not known")

// kind is a kind of device.
type kind struct {
	name string
	rank int // auto takes the usable kind with the highest
	// open opens the device of an index; only kinds with several devices see another than 0.
	open func(index int) (kernels.Device, error)
	// count is how many devices there are, or why there is none.
	count func() (int, error)
}

// kinds is filled by the init functions of this package's files.
var kinds []kind

// one is the count of kinds that are always there, once.
func one() (int, error) { return 1, nil }

// Open opens a device: auto (the fastest that works here), ref, cpu, cuda, or cuda:N. The error says what to do.
func Open(name string) (kernels.Device, error) {
	if name == "" || name == "auto" {
		return openBest()
	}
	base, number, numbered := strings.Cut(name, ":")
	index := 0
	if numbered {
		n, err := strconv.Atoi(number)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("device %q: %w: %q is no number of a device", name, ErrUnknown, number)
		}
		index = n
	}
	for _, k := range kinds {
		if k.name != base {
			continue
		}
		n, err := k.count()
		if err == nil && index >= n {
			err = fmt.Errorf("there are %d such devices, numbered from 0", n)
		}
		if err != nil {
			return nil, fmt.Errorf("device %s: %w", name, err)
		}
		return k.open(index)
	}
	return nil, fmt.Errorf("device %q: %w; use auto, ref, cpu, cuda or cuda:N", name, ErrUnknown)
}

func openBest() (kernels.Device, error) {
	byRank := append([]kind(nil), kinds...)
	sort.Slice(byRank, func(i, j int) bool { return byRank[i].rank > byRank[j].rank })
	var last error
	for _, k := range byRank {
		n, err := k.count()
		if err == nil && n > 0 {
			var d kernels.Device
			if d, err = k.open(0); err == nil {
				return d, nil
			}
		}
		last = err
	}
	return nil, fmt.Errorf("device auto: none works here: %w", last)
}

// Info is what List says of a device, or of a kind without one.
type Info struct {
	Name    string
	Profile string
	Err     error // why it cannot be used
}

// List opens and closes every device and tells of it, best first: for mmc4 doctor.
func List() []Info {
	byRank := append([]kind(nil), kinds...)
	sort.Slice(byRank, func(i, j int) bool { return byRank[i].rank > byRank[j].rank })
	var infos []Info
	for _, k := range byRank {
		n, err := k.count()
		if err != nil {
			infos = append(infos, Info{Name: k.name, Err: err})
			continue
		}
		for i := range n {
			d, err := k.open(i)
			if err != nil {
				infos = append(infos, Info{Name: fmt.Sprintf("%s:%d", k.name, i), Err: err})
				continue
			}
			infos = append(infos, Info{Name: d.Name(), Profile: d.Profile()})
			d.Close()
		}
	}
	return infos
}

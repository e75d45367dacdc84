package bench

// This program as a side. It runs in the driver's own process, whose only other thread of work, the collector, counts.

import "time"

// self is work of this program.
type self struct {
	version string // how it was made to compute, for rows where that varies
	run     func() error
	close   func() error
	clock   bool // what is measured is the time by the clock, for work of several threads
}

func (s self) Version() string { return s.version }

func (s self) Run(times int) (time.Duration, error) {
	began := time.Now()
	start, err := cpuTime()
	if err != nil {
		return 0, err
	}
	for range times {
		if err := s.run(); err != nil {
			return 0, err
		}
	}
	if s.clock {
		return time.Since(began), nil
	}
	end, err := cpuTime()
	return end - start, err
}

func (s self) Close() error {
	if s.close == nil {
		return nil
	}
	return s.close()
}

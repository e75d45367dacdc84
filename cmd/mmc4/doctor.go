package main

type doctorCmd struct{ common }

func (doctorCmd) Help() string { return "Example:\n  mmc4 doctor" }

func (c *doctorCmd) Run(o *output) error {
	return errFailed
}

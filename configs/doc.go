// Package configs holds the configuration files that come with the program.
package configs

import "embed"

// Tasks are the benchmark's tasks, tasks/NAME.yaml.
//
//go:embed tasks/*.yaml
var Tasks embed.FS

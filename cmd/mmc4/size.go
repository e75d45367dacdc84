package main

import (
	"fmt"
	"strconv"
	"strings"
)

// parseSize reads 512MiB, 2GiB, 1.5GB or a number of bytes.
func parseSize(s string) (int64, error) {
	units := []struct {
		suffix string
		bytes  float64
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1}, {"", 1}}
	for _, u := range units {
		number, ok := strings.CutSuffix(s, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || !(n*u.bytes >= 1 && n*u.bytes <= 1<<62) { // so that NaN is none either
			break
		}
		return int64(n * u.bytes), nil
	}
	return 0, fmt.Errorf("not a size; such as 512MiB or 2GiB")
}

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestSpread(t *testing.T) {
	for in, want := range map[string]string{
		"build --c4 a b --wat c --out d":       "build --c4 a --c4 b --wat c --out d",
		"build --c4=a b c":                     "build --c4=a --c4 b --c4 c",
		"build --wat c --json --c4 a":          "build --wat c --json --c4 a",
		"golden --kinds urls x y":              "golden --kinds urls x y",
		"build --pairs p q r --contact a@b.cd": "build --pairs p --pairs q --pairs r --contact a@b.cd",
	} {
		if got := spread(strings.Fields(in)); !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%s: got %q", in, got)
		}
	}
}

// TestExitCodes runs the program as a shell does.
func TestExitCodes(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "c.yaml")
	if err := os.WriteFile(config, []byte("match:\n  min_similarty: 0.2\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"version", exitDone, "mmc4 "},
		{"--version", exitDone, "mmc4 "},
		{"version --json", exitDone, `"version":`},
		{"", exitDone, "Usage"},
		{"build --help", exitDone, "Example"},
		{"fetch-model --help", exitDone, "Usage: mmc4 fetch-model"},
		{"--help", exitDone, "fetch-model"},
		{"bogus", exitUsage, "Run \"mmc4 --help\""},
		{"eval score --metrik vqa a b", exitUsage, "Run \"mmc4 eval score --help\""},
		{"build --c4 a --wat b --out " + dir + "/run", exitUsage, "--clip demo"},
		{"build --c4 a --wat b --clip demo --out " + dir + "/run --config " + config, exitUsage, "min_similarty"},
		{"build --c4 a --wat b --clip demo --out " + dir + "/run --set dedup.hamming=99", exitUsage, "dedup.hamming"},
		{"build --c4 a --wat b --clip demo --out " + dir + "/run --memory lots", exitUsage, "--memory"},
		{"build --c4 a --wat b --clip demo --out " + dir + "/run --memory NaN", exitUsage, "--memory"},
		{"build --c4 a --wat b --clip demo --out " + dir + "/run --device cuda", exitFailed, "driver"},
		{"build --c4 " + dir + "/no.json.gz --wat b --clip demo --out " + dir + "/run", exitPartial, "no.json.gz"},
		{"verify " + dir + "/nothing", exitFailed, ""},
		{"golden --kinds nothing.here ../../testdata/golden", exitDone, "0 passed, 0 failed, 0 skipped"},
		{"golden " + dir + "/nothing", exitFailed, ""},
	} {
		said, code := command(t, strings.Fields(c.args)...)
		if code != c.code {
			t.Errorf("%s: exit code %d, want %d; said %s", c.args, code, c.code, said)
		}
		if !strings.Contains(said, c.says) {
			t.Errorf("%s: %q is not in %s", c.args, c.says, said)
		}
	}
}

// command runs the program and returns what it said on both streams.
func command(t *testing.T, args ...string) (said string, code int) {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	code = run(args, out, out)
	text, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(text), code
}

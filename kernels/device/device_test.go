package device

import (
	"strings"
	"testing"
)

func TestOpen(t *testing.T) {
	for _, name := range []string{"", "auto", "ref"} {
		d, err := Open(name)
		if err != nil {
			t.Fatalf("Open(%q): %v", name, err)
		}
		if err := d.Close(); err != nil {
			t.Errorf("Close of %q: %v", name, err)
		}
	}
	for _, bad := range []struct{ name, want string }{
		{"tpu", "use auto, ref, cpu, cuda"},
		{"cuda:x", "no number"},
		{"cuda:-1", "no number"},
		{"ref:1", "numbered from 0"},
	} {
		if _, err := Open(bad.name); err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("Open(%q): %v, want an error with %q", bad.name, err, bad.want)
		}
	}
}

func TestListNamesEveryKind(t *testing.T) {
	found := map[string]bool{}
	for _, info := range List() {
		found[strings.Split(info.Name, ":")[0]] = true
		if info.Err == nil && info.Profile == "" {
			t.Errorf("%s has no profile", info.Name)
		}
		if strings.HasPrefix(info.Name, "cuda") && info.Err != nil && !strings.Contains(info.Err.Error(), "driver") {
			t.Errorf("%s: %v does not speak of the driver", info.Name, info.Err)
		}
	}
	for _, k := range kinds {
		if !found[k.name] {
			t.Errorf("%s is not listed", k.name)
		}
	}
}
